// The Pulumi Kubernetes provider, served from its Go module. The module's own main embeds a file that
// the module does not ship; this one needs only the schema, which the build lays over schema.json.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

// version is set by the linker: the provider's release.
var version string

func main() {
	provider.Serve("kubernetes", version, schema, []byte("{}"))
}
