package resource_test

import (
	"strings"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
)

func TestQuotasAreAWSsUsualOnesUnlessRaised(t *testing.T) {
	q, err := resource.ParseQuotas([]string{"vpcs=50", "routes-per-table=1000"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[resource.Quota]int{resource.QuotaVPCs: 50, resource.QuotaRoutes: 1000, resource.QuotaRules: 60, resource.QuotaInterfaces: 5000} {
		if got := q.Of(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
		if got := q.All()[name]; got != want {
			t.Errorf("%s is listed as %d, want %d", name, got, want)
		}
	}
	if got := strings.Join(q.Texts(), " "); got != "routes-per-table=1000 vpcs=50" {
		t.Errorf("raised are %s", got)
	}
	if resource.Quotas(nil).Of(resource.QuotaVPCs) != 5 {
		t.Error("without any, a quota is not AWS's")
	}
}

func TestAQuotaThatAWSWouldNotGiveIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"vpc=50":                           "there is no quota \"vpc\"",
		"vpcs":                             "must be a number",
		"vpcs=0":                           "from 1 to",
		"vpcs=many":                        "must be a number",
		"rules-per-network-acl=41":         "from 1 to 40",
		"security-groups-per-interface=17": "from 1 to 16",
		"rules-per-security-group=201":     "product",
	} {
		if _, err := resource.ParseQuotas([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
