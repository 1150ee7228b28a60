// Command control-plane is etcd, the Kubernetes control plane and kubectl in
// one static binary for tests and the demo. Like busybox it acts by the name
// that it is called by: test/cluster/build.ts makes one link per applet.
//
// To add an applet (a scheduler): one line below and one in APPLETS
// of test/cluster/versions.ts, then `go mod tidy`.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register" // --logging-format=json
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

var applets = map[string]func(){
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          command(apiserver.NewAPIServerCommand),
	"kube-controller-manager": command(controllermanager.NewControllerManagerCommand),
	"kubectl":                 command(kubectl.NewDefaultKubectlCommand),
}

func command(build func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(build())) }
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := applets[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: not the name of an applet; call this binary by one of the links that test/cluster/build.ts makes\n", name)
		os.Exit(2)
	}
	run()
}
