// Command argosy-controlplane is etcd and kube-apiserver in one binary, so that a test machine
// needs neither a container runtime nor a download of release archives.
//
// It ends when its standard input ends, so that no server outlives the test that started it,
// however that test ended.
package main

import (
	"fmt"
	"io"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: argosy-controlplane etcd|kube-apiserver [flags]")
		os.Exit(2)
	}
	go exitWithInput()
	program, args := os.Args[1], os.Args[1:]
	switch program {
	case "etcd":
		etcdmain.Main(args)
	case "kube-apiserver":
		os.Args = args
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	default:
		fmt.Fprintf(os.Stderr, "unknown program %q: use etcd or kube-apiserver\n", program)
		os.Exit(2)
	}
}

func exitWithInput() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
