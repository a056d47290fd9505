// Measures what the engines of Helm and Kustomize take by themselves, as their programs use them: on a
// folder of the disk, with Go's usual settings, again and again in one process.
//
// Prints the processor time of one render in nanoseconds.
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Renders that nobody measures.
const warmUp = 5

func main() {
	engines := map[string]func(string) error{"helm": helm, "kustomize": kustomize}
	if len(os.Args) != 4 || engines[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: argosy-engines helm|kustomize FOLDER ROUNDS"))
	}
	rounds, err := strconv.Atoi(os.Args[3])
	if err != nil || rounds < 1 {
		fail(fmt.Errorf("%q is no number of rounds", os.Args[3]))
	}
	engine, folder := engines[os.Args[1]], os.Args[2]
	repeat(engine, folder, warmUp)
	before := used()
	repeat(engine, folder, rounds)
	fmt.Println((used() - before) / int64(rounds))
}

func repeat(engine func(string) error, folder string, times int) {
	for range times {
		if err := engine(folder); err != nil {
			fail(err)
		}
	}
}

func helm(folder string) error {
	install := action.NewInstall(&action.Configuration{})
	install.DryRunStrategy = action.DryRunClient
	install.IncludeCRDs = true
	install.Replace = true
	install.Namespace = "default"
	install.ReleaseName = "web"
	chart, err := loader.Load(folder)
	if err != nil {
		return err
	}
	_, err = install.Run(chart, map[string]any{})
	return err
}

func kustomize(folder string) error {
	kustomizer := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	built, err := kustomizer.Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return err
	}
	_, err = built.AsYaml()
	return err
}

// The processor time of this process in nanoseconds.
func used() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
