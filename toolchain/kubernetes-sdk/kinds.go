// Replaces a file of Pulumi's Kubernetes SDK for the build of the provider. The SDK's own file names a Go type
// for every kind of every API version, so that all 90 packages of the SDK would have to be compiled, for three
// minutes on two processors. The provider needs only the registration: its components (ConfigFile, ConfigGroup,
// Chart, Directory) pass on the URNs of what they register.
package v2

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type object struct {
	pulumi.CustomResourceState
}

// RegisterResource registers an object under the type that Pulumi's schema has for its API version and kind:
// kubernetes:apps/v1:Deployment. The core group is written out: kubernetes:core/v1:Pod.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption) (pulumi.CustomResource, error) {
	if apiVersion == "v1" {
		apiVersion = "core/v1"
	}
	var registered object
	if err := ctx.RegisterResource("kubernetes:"+apiVersion+":"+kind, name, props, &registered, opts...); err != nil {
		return nil, err
	}
	return &registered, nil
}
