package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"helm.sh/helm/v4/pkg/action"
	charts "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/cli/values"
	"helm.sh/helm/v4/pkg/getter"
	"helm.sh/helm/v4/pkg/ignore"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"
)

// Does what the program does for `helm template .`, with the chart in the job's folder. Helm's own
// command reads charts from a disk; this one is made of the same parts, in the same order.
func helm(arguments []string, files *memory) ([]string, error) {
	install := action.NewInstall(&action.Configuration{})
	install.DryRunStrategy = action.DryRunClient
	install.Replace = true // Nobody has taken the name.
	var given values.Options
	var version string
	var apis []string
	flags := pflag.NewFlagSet("template", pflag.ContinueOnError)
	flags.StringVar(&install.NameTemplate, "name-template", "", "")
	flags.StringVar(&install.Namespace, "namespace", "default", "")
	flags.BoolVar(&install.IncludeCRDs, "include-crds", false, "")
	flags.BoolVar(&install.SkipSchemaValidation, "skip-schema-validation", false, "")
	flags.StringVar(&version, "kube-version", "", "")
	flags.StringSliceVar(&apis, "api-versions", nil, "")
	flags.StringSliceVar(&given.ValueFiles, "values", nil, "")
	flags.StringArrayVar(&given.Values, "set", nil, "")
	flags.StringArrayVar(&given.StringValues, "set-string", nil, "")
	flags.StringArrayVar(&given.FileValues, "set-file", nil, "")
	skipTests := flags.Bool("skip-tests", false, "")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if version != "" {
		parsed, err := common.ParseKubeVersion(version)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version '%s': %w", version, err)
		}
		install.KubeVersion = parsed
	}
	install.APIVersions = apis
	rendered, err := render(install, &given, files)
	if err != nil && rendered != nil {
		return nil, fmt.Errorf("%w\n\nUse --debug flag to render out invalid YAML", err)
	} else if err != nil {
		return nil, err
	}
	return output(rendered, *skipTests), nil
}

func render(install *action.Install, given *values.Options, files *memory) (*release.Release, error) {
	name, _, err := install.NameAndChart([]string{"."})
	if err != nil {
		return nil, err
	}
	install.ReleaseName = name
	values, err := given.MergeValues(getter.Providers{{
		Schemes: []string{""},
		New:     func(...getter.Option) (getter.Getter, error) { return reader{files}, nil },
	}})
	if err != nil {
		return nil, err
	}
	loaded, err := load(files)
	if err != nil {
		return nil, err
	}
	if err := installable(loaded); err != nil {
		return nil, err
	}
	done, err := install.Run(loaded, values)
	rendered, _ := done.(*release.Release)
	return rendered, err
}

// What the program prints of a release.
func output(rendered *release.Release, skipTests bool) []string {
	pieces := []string{strings.TrimSpace(rendered.Manifest), "\n"}
	for _, hook := range rendered.Hooks {
		if !skipTests || !slices.Contains(hook.Events, release.HookTest) {
			pieces = append(pieces, "---\n# Source: ", hook.Path, "\n", hook.Manifest, "\n")
		}
	}
	return pieces
}

// Whether a chart can be installed, and has all that it depends on.
func installable(loaded *chart.Chart) error {
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	wanted, err := charts.NewAccessor(loaded)
	if err != nil {
		return err
	}
	if err := action.CheckDependencies(loaded, wanted.MetaDependencies()); err != nil {
		return fmt.Errorf("an error occurred while checking for chart dependencies. You may need to run "+
			"'helm dependency build' to fetch missing dependencies: %w", err)
	}
	return nil
}

// Loads the chart in the folder of the files, as Helm loads one from a folder of the disk.
func load(files *memory) (*chart.Chart, error) {
	text, err := files.ReadFile("Chart.yaml")
	if err != nil {
		return nil, fmt.Errorf("unable to detect chart at Chart.yaml: %w", err)
	}
	var metadata struct {
		APIVersion string `json:"apiVersion"`
	}
	if err := yaml.Unmarshal(text, &metadata); err != nil {
		return nil, fmt.Errorf("cannot load Chart.yaml: %w", err)
	}
	switch metadata.APIVersion {
	case chart.APIVersionV1, chart.APIVersionV2, "":
	case "v3":
		return nil, errors.New("invalid chart apiVersion")
	default:
		return nil, errors.New("unsupported chart version")
	}
	rules := ignore.Empty()
	if text, err := files.ReadFile(ignore.HelmIgnore); err == nil {
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, err
		}
	}
	rules.AddDefaults()
	var loaded []*archive.BufferedFile
	ignored := ""
	for name, isFolder := range files.below(files.folder) {
		if ignored != "" && strings.HasPrefix(name, ignored) {
			continue
		}
		if rules.Ignore(name, entry{name, isFolder}) {
			if isFolder {
				ignored = name + "/"
			}
			continue
		}
		if isFolder {
			continue
		}
		content := files.content[path.Join(files.folder, name)]
		if int64(len(content)) > archive.MaxDecompressedFileSize {
			return nil, fmt.Errorf("chart file %q is larger than the maximum file size %d", path.Base(name),
				archive.MaxDecompressedFileSize)
		}
		content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
		loaded = append(loaded, &archive.BufferedFile{Name: name, Data: content})
	}
	return loader.LoadFiles(loaded)
}

// What rules about what to ignore ask of a file or folder.
type entry struct {
	name     string
	isFolder bool
}

func (e entry) Name() string       { return path.Base(e.name) }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.isFolder }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() os.FileMode {
	if e.isFolder {
		return os.ModeDir
	}
	return 0
}

// Reads files with values from memory.
type reader struct{ files *memory }

func (r reader) Get(path string, _ ...getter.Option) (*bytes.Buffer, error) {
	content, err := r.files.ReadFile(path)
	return bytes.NewBuffer(content), err
}
