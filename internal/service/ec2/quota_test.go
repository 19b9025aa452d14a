package ec2

import (
	"fmt"
	"testing"

	"github.com/culvert-cloud/culvert/internal/resource"
	"github.com/culvert-cloud/culvert/internal/state"
)

// TestEveryQuotaIsEnforced makes as many as a quota allows, which must succeed, and one more, which must not.
func TestEveryQuotaIsEnforced(t *testing.T) {
	d := new("d")
	left := resource.Quotas(nil).All()
	for quota, row := range map[resource.Quota]struct {
		code string
		// prepare makes what the calls need, and returns one that makes the i-th of a kind.
		prepare func(w *world) func(i int) error
	}{
		resource.QuotaVPCs: {"VpcLimitExceeded", func(w *world) func(int) error {
			return func(int) error { return second(try(w, w.createVPC, CreateVpcInput{CidrBlock: new("10.0.0.0/16")})) }
		}},
		resource.QuotaSubnets: {"SubnetLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(i int) error {
				return second(try(w, w.createSubnet, CreateSubnetInput{VpcId: vpc, CidrBlock: new(fmt.Sprintf("10.0.%d.0/24", i))}))
			}
		}},
		resource.QuotaBlocks: {"CidrLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(i int) error {
				if i == 0 {
					return nil // the primary one
				}
				return second(try(w, w.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: vpc, CidrBlock: new(fmt.Sprintf("10.%d.0.0/16", i))}))
			}
		}},
		resource.QuotaInternetGateways: {"InternetGatewayLimitExceeded", func(w *world) func(int) error {
			return func(int) error { return second(try(w, w.createInternetGateway, CreateInternetGatewayInput{})) }
		}},
		resource.QuotaIPv6Blocks: {"CidrLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(int) error {
				return second(try(w, w.associateVPCCIDRBlock, AssociateVpcCidrBlockInput{VpcId: vpc, AmazonProvidedIpv6CidrBlock: new(true)}))
			}
		}},
		resource.QuotaEgressOnlyGateways: {"EgressOnlyInternetGatewayLimitExceeded", func(w *world) func(int) error {
			return func(i int) error {
				if i == 5 {
					return second(try(w, w.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{VpcId: new(state.List[*resource.VPC](w.store.View())[0].Key())}))
				}
				return second(try(w, w.createEgressOnlyGateway, CreateEgressOnlyInternetGatewayInput{VpcId: w.vpc("10.0.0.0/16")}))
			}
		}},
		resource.QuotaNATGateways: {"NatGatewayLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			a, b := w.subnet(vpc, "10.0.0.0/24", "a"), w.subnet(vpc, "10.0.1.0/24", "b")
			return func(i int) error {
				do(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: b, ConnectivityType: new("private")})
				made, err := try(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: a, ConnectivityType: new("private")})
				if err == nil {
					do(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: made.NatGateway.NatGatewayId}) // takes no place
					_, err = try(w, w.createNATGateway, CreateNatGatewayInput{SubnetId: a, ConnectivityType: new("private")})
				}
				if i < 3 { // the other zone's must not get in the way
					do(w, w.deleteNATGateway, DeleteNatGatewayInput{NatGatewayId: w.newest(b)})
				}
				return err
			}
		}},
		resource.QuotaAddresses: {"AddressLimitExceeded", func(w *world) func(int) error {
			return func(int) error { return second(try(w, w.allocateAddress, AllocateAddressInput{})) }
		}},
		resource.QuotaInterfaces: {"NetworkInterfaceLimitExceeded", func(w *world) func(int) error {
			subnet := w.subnet(w.vpc("10.0.0.0/16"), "10.0.0.0/24", "a")
			return func(int) error {
				return second(try(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet}))
			}
		}},
		resource.QuotaRouteTables: {"RouteTableLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(i int) error {
				if i == 0 {
					return nil // the main one
				}
				return second(try(w, w.createRouteTable, CreateRouteTableInput{VpcId: vpc}))
			}
		}},
		resource.QuotaRoutes: {"RouteLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			table, gateway := w.routeTable(vpc), w.gateway(vpc)
			return func(i int) error {
				return second(try(w, w.createRoute, CreateRouteInput{RouteTableId: table, GatewayId: gateway, DestinationCidrBlock: new(fmt.Sprintf("198.51.%d.0/24", i))}))
			}
		}},
		resource.QuotaSecurityGroups: {"SecurityGroupLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(i int) error {
				if i == 0 {
					return nil // the default one
				}
				return second(try(w, w.createSecurityGroup, CreateSecurityGroupInput{VpcId: vpc, GroupName: new(fmt.Sprint("g", i)), Description: d}))
			}
		}},
		resource.QuotaRules: {"RulesPerSecurityGroupLimitExceeded", func(w *world) func(int) error {
			group := w.group(w.vpc("10.0.0.0/16"), "g")
			return func(i int) error {
				return second(try(w, w.authorizeSecurityGroupIngress, AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: []IpPermission{{
					IpProtocol: new("tcp"), FromPort: new(int64(i)), ToPort: new(int64(i)), IpRanges: []IpRange{{CidrIp: new("10.0.0.0/8")}},
				}}}))
			}
		}},
		resource.QuotaGroupsPerInterface: {"SecurityGroupsPerInterfaceLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			subnet := w.subnet(vpc, "10.0.0.0/24", "a")
			var groups []string
			return func(i int) error {
				groups = append(groups, *w.group(vpc, fmt.Sprint("g", i)))
				return second(try(w, w.createNetworkInterface, CreateNetworkInterfaceInput{SubnetId: subnet, Groups: groups}))
			}
		}},
		resource.QuotaNetworkACLs: {"NetworkAclLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(i int) error {
				if i == 0 {
					return nil // the default one
				}
				return second(try(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: vpc}))
			}
		}},
		resource.QuotaNetworkACLEntries: {"NetworkAclEntryLimitExceeded", func(w *world) func(int) error {
			acl := do(w, w.createNetworkACL, CreateNetworkAclInput{VpcId: w.vpc("10.0.0.0/16")}).NetworkAcl.NetworkAclId
			return func(i int) error {
				return second(try(w, w.createNetworkACLEntry, CreateNetworkAclEntryInput{
					NetworkAclId: acl, RuleNumber: new(int64(i + 1)), Protocol: new("-1"), RuleAction: new("allow"), Egress: new(false), CidrBlock: new("0.0.0.0/0"),
				}))
			}
		}},
		resource.QuotaPrefixLists: {"PrefixListLimitExceeded", func(w *world) func(int) error {
			return func(int) error {
				return second(try(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), PrefixListName: new("l"), MaxEntries: new(int64(1))}))
			}
		}},
		resource.QuotaPrefixListVersions: {"InvalidParameterValue", func(w *world) func(int) error {
			list := do(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), PrefixListName: new("l"), MaxEntries: new(int64(9))}).PrefixList.PrefixListId
			return func(i int) error { // the first is there until there are more than three
				if i > 0 {
					do(w, w.modifyManagedPrefixList, ModifyManagedPrefixListInput{
						PrefixListId: list, CurrentVersion: new(int64(i)), AddEntries: []AddPrefixListEntry{{Cidr: new(fmt.Sprintf("10.%d.0.0/16", i))}},
					})
				}
				return second(look(w, w.getManagedPrefixListEntries, GetManagedPrefixListEntriesInput{PrefixListId: list, TargetVersion: new(int64(1))}))
			}
		}},
		resource.QuotaPrefixListEntries: {"InvalidParameterValue", func(w *world) func(int) error {
			return func(i int) error {
				return second(try(w, w.createManagedPrefixList, CreateManagedPrefixListInput{AddressFamily: new("IPv4"), PrefixListName: new("l"), MaxEntries: new(int64(i + 1))}))
			}
		}},
		resource.QuotaGatewayEndpoints: {"VpcEndpointLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(int) error { return second(try(w, w.createVPCEndpoint, gatewayEndpoint(vpc))) }
		}},
		resource.QuotaInterfaceEndpoints: {"VpcEndpointLimitExceeded", func(w *world) func(int) error {
			vpc := w.vpc("10.0.0.0/16")
			return func(int) error {
				return second(try(w, w.createVPCEndpoint, CreateVpcEndpointInput{
					VpcId: vpc, VpcEndpointType: new("Interface"), ServiceName: new("com.amazonaws.us-west-2.lambda"), PrivateDnsEnabled: new(false),
				}))
			}
		}},
		resource.QuotaPeerings: {"VpcPeeringConnectionsPerVpcLimitExceeded", func(w *world) func(int) error {
			hub := w.vpc("10.200.0.0/16")
			return func(i int) error {
				asked := w.peer(w.vpc(fmt.Sprintf("10.%d.0.0/16", i)), hub)
				return second(try(w, w.acceptVPCPeeringConnection, AcceptVpcPeeringConnectionInput{VpcPeeringConnectionId: asked}))
			}
		}},
	} {
		delete(left, quota)
		t.Run(string(quota), func(t *testing.T) {
			quotas := roomy()
			quotas[quota] = 3
			w := newWorldWith(t, "us-west-2", quotas)
			add := row.prepare(w)
			for i := range 3 {
				if err := add(i); err != nil {
					t.Fatalf("number %d: %v", i+1, err)
				}
			}
			if err := add(3); code(err) != row.code {
				t.Errorf("one too many: got %v, want %s", err, row.code)
			}
		})
	}
	if len(left) > 0 {
		t.Errorf("no row for %v", left)
	}
}

func second[T any](_ *T, err error) error { return err }

// newest is a NAT gateway of a subnet that is in service.
func (w *world) newest(subnet *string) *string {
	w.t.Helper()
	return see(w, w.describeNATGateways, DescribeNatGatewaysInput{Filter: append(filter("subnet-id", *subnet), filter("state", "available")...)}).NatGateways[0].NatGatewayId
}
