package iam

import (
	"testing"
	"time"

	"github.com/culvert-cloud/culvert/internal/api"
)

func (r *region) user(t *testing.T, name string) *User {
	t.Helper()
	return must[CreateUserOutput](t, r, "CreateUser", &CreateUserInput{UserName: &name}).User
}

func TestUsersAndGroupsAreRefusedWithAWSsWords(t *testing.T) {
	r := newRegion(t)
	r.user(t, "ann")
	must[CreateGroupOutput](t, r, "CreateGroup", &CreateGroupInput{GroupName: p("g")})
	must[AddUserToGroupOutput](t, r, "AddUserToGroup", &AddUserToGroupInput{GroupName: p("g"), UserName: p("ann")})
	must[CreateAccessKeyOutput](t, r, "CreateAccessKey", &CreateAccessKeyInput{UserName: p("ann")})
	key := *must[CreateAccessKeyOutput](t, r, "CreateAccessKey", &CreateAccessKeyInput{UserName: p("ann")}).AccessKey.AccessKeyId
	r.refuse(t, "CreateUser", &CreateUserInput{UserName: p("ANN")}, "EntityAlreadyExists: User with name ANN already exists.", 409)
	r.refuse(t, "CreateGroup", &CreateGroupInput{GroupName: p("G")}, "EntityAlreadyExists: Group with name G already exists.", 409)
	r.refuse(t, "GetUser", &GetUserInput{UserName: p("bob")}, "NoSuchEntity: The user with name bob cannot be found.", 404)
	r.refuse(t, "GetUser", &GetUserInput{}, "ValidationError: Must specify userName when calling with non-User credentials", 400)
	r.refuse(t, "GetGroup", &GetGroupInput{GroupName: p("x")}, "NoSuchEntity: The group with name x cannot be found.", 404)
	r.refuse(t, "CreateAccessKey", &CreateAccessKeyInput{UserName: p("ann")}, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2", 409)
	r.refuse(t, "DeleteAccessKey", &DeleteAccessKeyInput{UserName: p("ann"), AccessKeyId: p("AKIAIOSFODNN7EXAMPLE")},
		"NoSuchEntity: The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.", 404)
	r.refuse(t, "DeleteUser", &DeleteUserInput{UserName: p("ann")}, "DeleteConflict: Cannot delete entity, must remove users from group first.", 409)
	r.refuse(t, "DeleteGroup", &DeleteGroupInput{GroupName: p("g")}, "DeleteConflict: Cannot delete entity, must remove users from group first.", 409)
	r.refuse(t, "GetUserPolicy", &GetUserPolicyInput{UserName: p("ann"), PolicyName: p("x")},
		"NoSuchEntity: The user policy with name x cannot be found.", 404)
	r.refuse(t, "AttachGroupPolicy", &AttachGroupPolicyInput{GroupName: p("g"), PolicyArn: p("arn:aws:iam::aws:policy/Nope")},
		"NoSuchEntity: Policy arn:aws:iam::aws:policy/Nope does not exist or is not attachable.", 404)
	r.refuse(t, "PutUserPolicy", &PutUserPolicyInput{UserName: p("ann"), PolicyName: p("x"), PolicyDocument: p("{")},
		"MalformedPolicyDocument: Syntax errors in policy.", 400)
	r.refuse(t, "DeleteUserPermissionsBoundary", &DeleteUserPermissionsBoundaryInput{UserName: p("ann")},
		"NoSuchEntity: The user with name ann does not have a permissions boundary.", 404)
	r.refuse(t, "GetLoginProfile", &GetLoginProfileInput{UserName: p("ann")}, "NoSuchEntity: Login Profile for User ann cannot be found.", 404)

	// Another name is another ARN; groups and keys go along.
	must[UpdateUserOutput](t, r, "UpdateUser", &UpdateUserInput{UserName: p("ann"), NewUserName: p("anna"), NewPath: p("/x/")})
	must[UpdateGroupOutput](t, r, "UpdateGroup", &UpdateGroupInput{GroupName: p("g"), NewGroupName: p("h")})
	if got := must[GetGroupOutput](t, r, "GetGroup", &GetGroupInput{GroupName: p("h")}).Users; len(got) != 1 || *got[0].Arn != "arn:aws:iam::000000000000:user/x/anna" {
		t.Errorf("users of the group: %+v", got)
	}
	if last := must[GetAccessKeyLastUsedOutput](t, r, "GetAccessKeyLastUsed", &GetAccessKeyLastUsedInput{AccessKeyId: &key}); *last.UserName != "anna" || *last.AccessKeyLastUsed.Region != "N/A" {
		t.Errorf("last used %+v", last.AccessKeyLastUsed)
	}
}

// userCall is a call of a user.
func userCall(u *User) *api.Call {
	return &api.Call{Account: account, Region: "us-west-2", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Caller: api.Caller{
		Type: api.User, Account: account, ARN: *u.Arn, UserName: *u.UserName, UserID: *u.UserId,
	}}
}

func TestAUserMayWhatItsGroupsMayWithinItsBoundary(t *testing.T) {
	r := newRegion(t)
	call := userCall(r.user(t, "ann"))
	may := func() bool { return r.may(t, call, "s3:GetObject", "arn:aws:s3:::b/k") }
	if may() {
		t.Error("a user without policies may")
	}
	must[CreateGroupOutput](t, r, "CreateGroup", &CreateGroupInput{GroupName: p("g")})
	must[PutGroupPolicyOutput](t, r, "PutGroupPolicy", &PutGroupPolicyInput{GroupName: p("g"), PolicyName: p("reads"), PolicyDocument: p(readB)})
	must[AddUserToGroupOutput](t, r, "AddUserToGroup", &AddUserToGroupInput{GroupName: p("g"), UserName: p("ann")})
	if !may() {
		t.Error("the group's policy does not count")
	}
	must[PutUserPermissionsBoundaryOutput](t, r, "PutUserPermissionsBoundary", &PutUserPermissionsBoundaryInput{UserName: p("ann"), PermissionsBoundary: p(vpcAccess)})
	if may() {
		t.Error("the boundary does not limit")
	}
	must[DeleteUserPermissionsBoundaryOutput](t, r, "DeleteUserPermissionsBoundary", &DeleteUserPermissionsBoundaryInput{UserName: p("ann")})
	must[AttachUserPolicyOutput](t, r, "AttachUserPolicy", &AttachUserPolicyInput{UserName: p("ann"), PolicyArn: p(denyAll)})
	if may() {
		t.Error("the attached Deny does not count")
	}
	r.refuse(t, "DeletePolicy", &DeletePolicyInput{PolicyArn: p(denyAll)}, "AccessDenied: Policy is outside your own account.", 403)
	of := must[ListEntitiesForPolicyOutput](t, r, "ListEntitiesForPolicy", &ListEntitiesForPolicyInput{PolicyArn: p(denyAll)})
	if len(of.PolicyUsers) != 1 || *of.PolicyUsers[0].UserName != "ann" {
		t.Errorf("entities %+v", of)
	}
	// Renamed or made anew, it is somebody else.
	must[UpdateUserOutput](t, r, "UpdateUser", &UpdateUserInput{UserName: p("ann"), NewUserName: p("eve")})
	if _, err := r.Decide(r.store.View(), call, Question{Action: "s3:GetObject", Resource: "*"}); err == nil {
		t.Error("a user that is gone is decided about")
	}
}
