package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// The files of a job, in memory, as Kustomize's library reads files. What it complains about reads as
// if they were on a disk.
type memory struct {
	// Where relative paths begin.
	folder string
	// The contents of files by their absolute paths.
	content map[string][]byte
	// The names in folders by their absolute paths.
	folders map[string][]string
	// What lies below a key lies below its value.
	links map[string]string
}

func newMemory(folder string, links map[string]string) *memory {
	files := &memory{
		folder:  folder,
		content: map[string][]byte{},
		folders: map[string][]string{"/": nil},
		links:   links,
	}
	files.addFolder(folder)
	for link := range links {
		files.addFolder(filepath.Dir(link))
	}
	return files
}

func (m *memory) add(path string, content []byte) {
	folder, name := filepath.Split(path)
	folder = filepath.Clean(folder)
	m.addFolder(folder)
	if _, known := m.content[path]; !known {
		m.folders[folder] = append(m.folders[folder], name)
	}
	m.content[path] = content
}

func (m *memory) addFolder(path string) {
	if _, known := m.folders[path]; known {
		return
	}
	m.folders[path] = nil
	parent := filepath.Dir(path)
	m.addFolder(parent)
	m.folders[parent] = append(m.folders[parent], filepath.Base(path))
}

// Where a path leads.
func (m *memory) resolve(path string) string {
	if filepath.IsAbs(path) {
		path = filepath.Clean(path)
	} else {
		path = filepath.Join(m.folder, path)
	}
	for at := path; at != "/"; at = filepath.Dir(at) {
		if target, linked := m.links[at]; linked {
			return target + path[len(at):]
		}
	}
	return path
}

func missing(operation, path string) error {
	return &os.PathError{Op: operation, Path: path, Err: syscall.ENOENT}
}

func (m *memory) IsDir(path string) bool {
	_, known := m.folders[m.resolve(path)]
	return known
}

func (m *memory) Exists(path string) bool {
	_, known := m.content[m.resolve(path)]
	return known || m.IsDir(path)
}

func (m *memory) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	place := m.resolve(path)
	switch {
	case m.IsDir(place):
		return filesys.ConfirmedDir(place), "", nil
	case m.Exists(place):
		return filesys.ConfirmedDir(filepath.Dir(place)), filepath.Base(place), nil
	}
	absent := place
	for !m.Exists(filepath.Dir(absent)) {
		absent = filepath.Dir(absent)
	}
	return "", "", fmt.Errorf("evalsymlink failure on '%s' : %w", place, missing("lstat", absent))
}

func (m *memory) ReadFile(path string) ([]byte, error) {
	if content, known := m.content[m.resolve(path)]; known {
		return slices.Clone(content), nil
	}
	if m.IsDir(path) {
		return nil, &os.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	}
	return nil, missing("open", path)
}

func (m *memory) WriteFile(path string, content []byte) error {
	m.add(m.resolve(path), slices.Clone(content))
	return nil
}

// What a pattern matches below the folder that stands in front of its first special character.
func (m *memory) Glob(pattern string) ([]string, error) {
	special := strings.IndexAny(pattern, `*?[\`)
	if special < 0 {
		if m.Exists(pattern) {
			return []string{pattern}, nil
		}
		return nil, nil
	}
	cut := strings.LastIndex(pattern[:special], "/") + 1
	folder, pattern := pattern[:cut], pattern[cut:]
	var matches []string
	for path := range m.below(m.resolve(folder)) {
		matched, err := filepath.Match(pattern, path)
		if err != nil {
			return nil, err
		}
		if matched {
			matches = append(matches, filepath.Join(folder, path))
		}
	}
	if filesys.IsHiddenFilePath(pattern) {
		return matches, nil
	}
	return filesys.RemoveHiddenFiles(matches), nil
}

// All that lies below a folder, each folder before what is in it and names in order, and whether it
// is a folder.
func (m *memory) below(folder string) func(yield func(string, bool) bool) {
	var walk func(folder, prefix string, yield func(string, bool) bool) bool
	walk = func(folder, prefix string, yield func(string, bool) bool) bool {
		for _, name := range slices.Sorted(slices.Values(m.folders[folder])) {
			path := filepath.Join(folder, name)
			_, inner := m.folders[path]
			if !yield(prefix+name, inner) || inner && !walk(path, prefix+name+"/", yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(string, bool) bool) { walk(folder, "", yield) }
}

// No command that jobs use needs the rest.

func (m *memory) Create(path string) (filesys.File, error) { return nil, refuse("create", path) }
func (m *memory) Open(path string) (filesys.File, error)   { return nil, refuse("open", path) }
func (m *memory) Mkdir(path string) error                  { return refuse("mkdir", path) }
func (m *memory) MkdirAll(path string) error               { return refuse("mkdir", path) }
func (m *memory) RemoveAll(path string) error              { return refuse("remove", path) }
func (m *memory) ReadDir(path string) ([]string, error)    { return nil, refuse("read", path) }
func (m *memory) Walk(path string, _ filepath.WalkFunc) error {
	return refuse("walk", path)
}

func refuse(operation, path string) error {
	return &os.PathError{Op: operation, Path: path, Err: errors.ErrUnsupported}
}

// Writes everything below a folder of the disk.
func (m *memory) copyTo(root string) error {
	for folder := range m.folders {
		if err := os.MkdirAll(root+folder, 0o700); err != nil {
			return err
		}
	}
	for path, content := range m.content {
		if err := os.WriteFile(root+path, content, 0o600); err != nil {
			return err
		}
	}
	for link, target := range m.links {
		if err := os.Symlink(root+target, root+link); err != nil {
			return err
		}
	}
	return nil
}
