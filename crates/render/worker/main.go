// Renders charts and kustomizations with the libraries of Helm and Kustomize, one job after the
// other, for as long as its input lasts.
//
// A job is a line of JSON: the tool, its arguments as on its command line, and the folder to work
// in. The answer is a line of JSON: what the tool prints, or what it complains about, and how long the
// library took. It keeps nothing from one job to the next, and who started it ends it when a job takes
// too long.
//
// Its first argument is the folder below which jobs lie, and all others are folders with programs
// that jobs may run. Nothing else can be read or written, and nobody can be connected to, where the
// kernel has Landlock.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	helm "helm.sh/helm/v4/pkg/cmd"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/edit"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

type job struct {
	Tool      string   `json:"tool"`
	Arguments []string `json:"arguments"`
	Folder    string   `json:"folder"`
}

type answer struct {
	Output  string  `json:"output"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`
}

// What the library of command lines keeps of every command that was ever made. Helm's root command
// adds to both, and nothing takes that away again: all initializers run before each command, so that
// every job would be slower than the one before, and a flag holds its whole command in memory.

//go:linkname initializers github.com/spf13/cobra.initializers
var initializers []func()

//go:linkname completions github.com/spf13/cobra.flagCompletionFunctions
var completions map[*pflag.Flag]cobra.CompletionFunc

// Jobs are short and leave little behind: memory is collected seldom as long as there is little of it.
const (
	collectAt  = 400       // percent
	memorySoft = 128 << 20 // bytes
)

func main() {
	debug.SetGCPercent(collectAt)
	debug.SetMemoryLimit(memorySoft)
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: argosy-render-worker FOLDER [PROGRAMS]...")
		os.Exit(2)
	}
	if err := confine(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "cannot confine the worker:", err)
		os.Exit(1)
	}
	// Libraries print where they like; only answers may go to the real output.
	answers := json.NewEncoder(os.Stdout)
	answers.SetEscapeHTML(false)
	os.Stdout = os.Stderr
	jobs := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var next job
		if err := jobs.Decode(&next); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "cannot read a job:", err)
			os.Exit(2)
		}
		began := time.Now()
		done := do(next)
		done.Seconds = time.Since(began).Seconds()
		if err := answers.Encode(done); err != nil {
			os.Exit(1)
		}
	}
}

// Gives up all rights but those that jobs need.
func confine(folder string, programs []string) error {
	system := []string{"/usr", "/lib", "/lib64", "/bin"}
	return landlock.V6.BestEffort().Restrict(
		landlock.RWDirs(folder),
		landlock.RODirs(append(system, programs...)...).IgnoreIfMissing(),
		landlock.RWFiles("/dev/null").IgnoreIfMissing(),
	)
}

// Does one job. A panic is an answer like any other complaint.
func do(next job) (result answer) {
	defer func() {
		if cause := recover(); cause != nil {
			result = answer{Error: fmt.Sprintf("%s panicked: %v", next.Tool, cause)}
		}
	}()
	if err := os.Chdir(next.Folder); err != nil {
		return answer{Error: err.Error()}
	}
	initializers = nil
	clear(completions)
	var output bytes.Buffer
	command, err := prepare(next, &output)
	if err == nil {
		command.SilenceUsage = true
		command.SilenceErrors = true
		command.SetOut(&output)
		command.SetErr(io.Discard)
		err = command.Execute()
	}
	if err != nil {
		return answer{Error: "Error: " + err.Error()}
	}
	return answer{Output: output.String()}
}

func prepare(next job, output io.Writer) (*cobra.Command, error) {
	switch next.Tool {
	case "helm":
		return prepareHelm(next.Arguments, output)
	case "kustomize":
		return prepareKustomize(next.Arguments, output), nil
	}
	return nil, fmt.Errorf("there is no tool %q", next.Tool)
}

func prepareHelm(arguments []string, output io.Writer) (*cobra.Command, error) {
	// Helm keeps the last namespace for commands that name none.
	named := false
	for _, argument := range arguments {
		named = named || strings.HasPrefix(argument, "--namespace=")
	}
	if !named {
		arguments = append(arguments, "--namespace=default")
	}
	command, err := helm.NewRootCmd(output, arguments, func(bool) {})
	if err != nil {
		return nil, err
	}
	command.SetArgs(arguments)
	return command, nil
}

func prepareKustomize(arguments []string, output io.Writer) *cobra.Command {
	files := filesys.MakeFsOnDisk()
	depends := provider.NewDefaultDepProvider()
	command := &cobra.Command{Use: "kustomize"}
	command.AddCommand(
		build.NewCmdBuild(files, build.MakeHelp("kustomize", "build"), output),
		edit.NewCmdEdit(files, depends.GetFieldValidator(), depends.GetResourceFactory(), output),
	)
	command.SetArgs(arguments)
	return command
}
