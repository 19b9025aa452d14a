package region

import (
	"fmt"
	"strings"
)

// keyGroup is condition keys with one prefix. A name with a star stands for all that begin so.
type keyGroup struct {
	prefix string
	set    []string // they are in the requests that have them on AWS
	unset  []string // they are in no request: a condition sees them absent
}

// conditionKeys are AWS's condition keys as far as they matter to what is served here. All that are set follow from the
// connection, the state and the signed request; none is taken from a header that AWS does not take it from.
func conditionKeys() []keyGroup {
	return []keyGroup{
		{
			prefix: "aws",
			set: strings.Fields(`CurrentTime Ec2InstanceSourcePrivateIPv4 Ec2InstanceSourceVpc EpochTime MultiFactorAuthPresent PrincipalAccount
				PrincipalArn PrincipalIsAWSService PrincipalTag/* PrincipalType Referer RequestTag/* RequestedRegion ResourceAccount ResourceTag/*
				SecureTransport SourceAccount SourceArn SourceIdentity SourceIp SourceVpc SourceVpcArn SourceVpce TagKeys TokenIssueTime UserAgent ViaAWSService
				VpcSourceIp VpceAccount userid username`),
			unset: strings.Fields(`AssumedRoot CalledVia CalledViaFirst CalledViaLast ChatbotSourceArn FederatedProvider MultiFactorAuthAge
				PrincipalOrgID PrincipalOrgPaths PrincipalServiceName PrincipalServiceNamesList ResourceOrgID ResourceOrgPaths
				SourceOrgID SourceOrgPaths VpceOrgID VpceOrgPaths`),
		},
		{
			prefix: "ec2",
			set:    strings.Fields(`AvailabilityZone CreateAction InstanceType Region ResourceTag/* SourceInstanceARN Subnet Vpc VpcID VpceServiceName`),
			unset: strings.Fields(`AccepterVpc AssociatePublicIpAddress Attribute Attribute/* AuthorizedService AuthorizedUser CidrIp EbsOptimized Encrypted
				ImageType InstanceAutoRecovery InstanceMarketType InstanceMetadataTags InstanceProfile IsLaunchTemplateResource KeyPairName
				MetadataHttpEndpoint MetadataHttpPutResponseHopLimit MetadataHttpTokens NetworkInterfaceID Owner Permission PlacementGroup
				PrincipalId RequesterVpc RoleDelivery RootDeviceType SecurityGroupID SubnetID Tenancy VpceServiceOwner VpceServicePrivateDnsName
				VpcePrivateDnsPreference VpceSupportedRegion`),
		},
		{prefix: "elasticloadbalancing", set: strings.Fields(`ResourceTag/*`), unset: strings.Fields(`CreateAction ListenerProtocol Scheme SecurityGroup SecurityPolicy Subnet`)},
		{
			prefix: "iam",
			set:    strings.Fields(`AWSServiceName PassedToService PermissionsBoundary PolicyARN ResourceTag/*`),
			unset:  strings.Fields(`AssociatedResourceArn DelegationDuration FIDO-* OrganizationsPolicyId RegisterSecurityKey ServiceSpecificCredentialAgeDays ServiceSpecificCredentialServiceName`),
		},
		{
			prefix: "lambda",
			set:    strings.Fields(`FunctionArn FunctionUrlAuthType InvokedViaFunctionUrl SecurityGroupIds SourceFunctionArn SubnetIds VpcIds`),
			unset:  strings.Fields(`CodeSigningConfigArn EventSourceToken Layer Principal`),
		},
		{
			prefix: "s3",
			set: strings.Fields(`ExistingObjectTag/* RequestObjectTag/* RequestObjectTagKeys ResourceAccount TlsVersion authType delimiter if-match
				if-none-match max-keys prefix signatureAge signatureversion versionid x-amz-acl x-amz-content-sha256 x-amz-copy-source
				x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write x-amz-grant-write-acp
				x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption x-amz-storage-class
				x-amz-website-redirect-location`),
			unset: strings.Fields(`AccessGrantsInstanceArn AccessPointNetworkOrigin AccessPointTag/* BucketTag/* DataAccessPointAccount DataAccessPointArn
				InventoryAccessibleOptionalFields JobSuspendedCause ObjectCreationOperation RequestJobOperation
				RequestJobPriority isReplicationPauseRequest locationconstraint object-lock-legal-hold object-lock-mode
				object-lock-remaining-retention-days object-lock-retain-until-date
				x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm`),
		},
		{
			prefix: "sts",
			set:    strings.Fields(`ExternalId RoleSessionName SourceIdentity TransitiveTagKeys`),
			unset:  strings.Fields(`AWSServiceName DurationSeconds RequestContext/* RequestContextProviders TaskPolicyArn`),
		},
	}
}

// conditionKeysPage is their part of the coverage page.
func conditionKeysPage() string {
	var b strings.Builder
	b.WriteString("\n## Condition keys\n\nEach is set where AWS sets it, from the connection, the state and the signed request. " +
		"Those that are never set are absent from every request: StringEquals fails, StringNotEquals and ...IfExists hold.\n")
	for _, g := range conditionKeys() {
		fmt.Fprintf(&b, "\n%s, set:\n%s\n\n%s, never set:\n%s\n", g.prefix, wrap(g.set), g.prefix, wrap(g.unset))
	}
	return b.String()
}
