// Renders charts and kustomizations with the libraries of Helm and Kustomize, one job after the
// other, for as long as its input lasts.
//
// A job is a line of JSON and the contents of its files right after it. The answer is a line of JSON
// and right after it what the tool prints, or what it complains about. The worker keeps nothing from
// one job to the next, and who started it ends it when a job takes too long.
//
// Its first argument is a folder of its own, empty, and all others are folders with programs that
// jobs may run. Nothing else can be read or written, and nobody can be connected to, where the
// kernel has Landlock.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/landlock-lsm/go-landlock/landlock"
)

type job struct {
	Tool string `json:"tool"`
	// Run one after the other, as on the tool's command line.
	Commands [][]string `json:"commands"`
	// The folder of the commands, below the root.
	Folder string `json:"folder"`
	// The files with the lengths of their contents, which follow in the same order.
	Files []file `json:"files"`
	// Folders, which may be empty.
	Folders []string `json:"folders"`
	// Folders that are reached by another path, too.
	Links map[string]string `json:"links"`
	// A file that the commands change, whose content is asked for.
	Wanted string `json:"wanted"`
}

type file struct {
	Path string `json:"path"`
	Size int    `json:"size"`
}

// What a job leaves.
type answer struct {
	// What the commands print, piece by piece.
	output []string
	// The wanted file.
	wanted []byte
	// What the first command that fails complains about.
	complaint string
}

// Jobs are short and leave little behind: memory is collected seldom as long as there is little of it.
const (
	collectAt  = 1600     // percent
	memorySoft = 64 << 20 // bytes
)

// Most jobs and answers come and go at once.
const buffer = 64 << 10 // bytes

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
	answers := bufio.NewWriterSize(os.Stdout, buffer)
	os.Stdout = os.Stderr
	input := bufio.NewReaderSize(os.Stdin, buffer)
	for {
		next, files, err := read(input)
		if errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "cannot read a job:", err)
			os.Exit(2)
		}
		if err := reply(do(next, files), answers); err != nil {
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

// Reads a job with its files.
func read(input *bufio.Reader) (next job, files *memory, err error) {
	line, err := input.ReadBytes('\n')
	if err != nil {
		return next, nil, err
	}
	if err := json.Unmarshal(line, &next); err != nil {
		return next, nil, err
	}
	files = newMemory(next.Folder, next.Links)
	for _, path := range next.Folders {
		files.addFolder(path)
	}
	for _, file := range next.Files {
		content := make([]byte, file.Size)
		if _, err := io.ReadFull(input, content); err != nil {
			return next, nil, io.ErrUnexpectedEOF
		}
		files.add(file.Path, content)
	}
	return next, files, nil
}

// Writes an answer: the lengths of its parts, and the parts.
func reply(done *answer, answers *bufio.Writer) error {
	printed := 0
	for _, piece := range done.output {
		printed += len(piece)
	}
	lengths := map[string]int{
		"output": printed,
		"wanted": len(done.wanted),
		"error":  len(done.complaint),
	}
	// What cannot be written shows when all of it is flushed.
	json.NewEncoder(answers).Encode(lengths)
	for _, piece := range done.output {
		answers.WriteString(piece)
	}
	answers.Write(done.wanted)
	answers.WriteString(done.complaint)
	return answers.Flush()
}

// Does one job. A panic is an answer like any other complaint.
func do(next job, files *memory) (done *answer) {
	defer func() {
		if cause := recover(); cause != nil {
			done = &answer{complaint: fmt.Sprintf("%s panicked: %v", next.Tool, cause)}
		}
	}()
	printed, err := run(next, files)
	if err != nil {
		return &answer{complaint: "Error: " + err.Error()}
	}
	return &answer{output: printed, wanted: files.content[next.Wanted]}
}

func run(next job, files *memory) (printed []string, err error) {
	tools := map[string]func([]string, *memory) ([]string, error){"helm": helm, "kustomize": kustomize}
	tool, known := tools[next.Tool]
	if !known {
		return nil, fmt.Errorf("there is no tool %q", next.Tool)
	}
	for _, arguments := range next.Commands {
		pieces, err := tool(arguments, files)
		if err != nil {
			return nil, err
		}
		printed = append(printed, pieces...)
	}
	return printed, nil
}
