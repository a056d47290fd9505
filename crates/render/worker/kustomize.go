package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/edit"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Does what the program does. Only where Helm's program may render charts, which reads them from a
// disk, the files are written to one.
func kustomize(arguments []string, files *memory) ([]string, error) {
	inflates := func(argument string) bool { return strings.HasPrefix(argument, "--enable-helm") }
	if slices.ContainsFunc(arguments, inflates) {
		return onDisk(arguments, files)
	}
	return execute(arguments, files)
}

// Runs a command in a private folder with a copy of the files.
func onDisk(arguments []string, files *memory) ([]string, error) {
	root, err := os.MkdirTemp("", "job-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	if err := files.copyTo(root); err != nil {
		return nil, err
	}
	if err := os.Chdir(filepath.Join(root, files.folder)); err != nil {
		return nil, err
	}
	defer os.Chdir(os.TempDir())
	printed, err := execute(arguments, filesys.MakeFsOnDisk())
	if err != nil {
		return nil, withoutPlace{err, root}
	}
	return printed, nil
}

// An error that names no place on the disk.
type withoutPlace struct {
	error
	place string
}

func (e withoutPlace) Error() string { return strings.ReplaceAll(e.error.Error(), e.place, "") }

func execute(arguments []string, files filesys.FileSystem) ([]string, error) {
	var output bytes.Buffer
	depends := provider.NewDefaultDepProvider()
	command := &cobra.Command{Use: "kustomize", SilenceUsage: true, SilenceErrors: true}
	command.AddCommand(
		build.NewCmdBuild(files, build.MakeHelp("kustomize", "build"), &output),
		edit.NewCmdEdit(files, depends.GetFieldValidator(), depends.GetResourceFactory(), &output),
	)
	command.SetOut(&output)
	command.SetErr(io.Discard)
	command.SetArgs(arguments)
	err := command.Execute()
	return []string{output.String()}, err
}
