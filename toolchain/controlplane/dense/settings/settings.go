// Package settings reads what a dense process is to run: its own file, and one file for each control plane.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Config is the file that `dense --config` reads.
type Config struct {
	// AdminSocket is the path of the unix socket that the admin HTTP server listens on (mode 0600).
	AdminSocket string `json:"admin_socket"`
	// InstancesDir holds one JSON file per instance.
	InstancesDir string `json:"instances_dir"`
	// Etcd is shared by all instances.
	Etcd Etcd `json:"etcd"`
	// Parallelism bounds how many instances start or stop at a time; 0 is the number of cores.
	Parallelism int `json:"parallelism,omitempty"`
	// Cores is GOMAXPROCS while no instance starts or stops (see gate); 0 is all cores of the machine.
	Cores int `json:"cores,omitempty"`
	// Sharing lets the instances share what never changes; without it each has its own, exactly as upstream makes it.
	Sharing bool `json:"sharing,omitempty"`
	// HibernateSeconds is after how long without a connection an instance sleeps until the next; 0 is never. It needs
	// Sharing: else its own controllers are always connected.
	HibernateSeconds int `json:"hibernate_seconds,omitempty"`
	// FeatureGates are the process's, so they hold for every instance.
	FeatureGates map[string]bool `json:"feature_gates,omitempty"`
}

// Hibernate is HibernateSeconds.
func (c Config) Hibernate() time.Duration { return time.Duration(c.HibernateSeconds) * time.Second }

// Etcd is how to reach the etcd of all instances.
type Etcd struct {
	Servers  []string `json:"servers"`
	CAFile   string   `json:"ca_file"`
	CertFile string   `json:"cert_file"`
	KeyFile  string   `json:"key_file"`
}

// Instance is one file of the instances directory: one control plane.
type Instance struct {
	Name                      string `json:"name"`
	BindAddress               string `json:"bind_address"`
	SecurePort                int    `json:"secure_port"`
	EtcdPrefix                string `json:"etcd_prefix"`
	ServiceClusterIPRange     string `json:"service_cluster_ip_range"`
	TLSCertFile               string `json:"tls_cert_file"`
	TLSKeyFile                string `json:"tls_key_file"`
	ClientCAFile              string `json:"client_ca_file"`
	RequestheaderClientCAFile string `json:"requestheader_client_ca_file"`
	// ServiceAccountKeyFile is the private key; it signs and verifies.
	ServiceAccountKeyFile string `json:"service_account_key_file"`
	ServiceAccountIssuer  string `json:"service_account_issuer"`
	// KCMKubeconfig may be empty when Controllers is: then there is no kube-controller-manager.
	KCMKubeconfig string `json:"kcm_kubeconfig"`
	// SchedulerKubeconfig may be empty: then there is no kube-scheduler.
	SchedulerKubeconfig string `json:"scheduler_kubeconfig"`
	// Controllers are long names, as "deployment-controller".
	Controllers []string `json:"controllers"`
	// OpenAPI published costs more than half of an instance's memory; without it `kubectl explain` and client-side
	// validation do not work.
	OpenAPI bool `json:"openapi"`
	// APIServerExtraArgs are kube-apiserver flags, "--flag=value"; they win over what is set here.
	APIServerExtraArgs []string `json:"apiserver_extra_args,omitempty"`
	// APIServerMaxRequests bounds requests in flight; half of it for mutating ones (upstream: 400 and 200). 0: upstream's.
	APIServerMaxRequests int `json:"apiserver_max_requests,omitempty"`
}

// processFlags are kube-apiserver flags that change the whole process, so no instance may set them.
var processFlags = []string{"feature-gates", "emulated-version", "emulation-forward-compatible", "runtime-config-emulation-forward-compatible",
	"logging-format", "log-", "v", "vmodule", "show-hidden-metrics-for-version", "disabled-metrics", "allow-metric-labels"}

// managedFlags are set from fields of an instance.
var managedFlags = []string{"bind-address", "secure-port", "etcd-prefix", "etcd-servers"}

var labelPattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Load reads and checks the file of the process.
func Load(file string) (Config, error) {
	var config Config
	if err := readStrict(file, &config); err != nil {
		return Config{}, err
	}
	switch {
	case config.AdminSocket == "":
		return Config{}, fmt.Errorf("%s: admin_socket: missing", file)
	case config.InstancesDir == "":
		return Config{}, fmt.Errorf("%s: instances_dir: missing", file)
	case len(config.Etcd.Servers) == 0:
		return Config{}, fmt.Errorf("%s: etcd.servers: at least one is needed", file)
	case config.Cores < 0:
		return Config{}, fmt.Errorf("%s: cores: %d is negative", file, config.Cores)
	case config.HibernateSeconds < 0:
		return Config{}, fmt.Errorf("%s: hibernate_seconds: %d is negative", file, config.HibernateSeconds)
	case config.HibernateSeconds > 0 && !config.Sharing:
		return Config{}, fmt.Errorf("%s: hibernate_seconds: needs sharing, else no instance is ever without a connection", file)
	case config.Parallelism < 0:
		return Config{}, fmt.Errorf("%s: parallelism: %d is negative", file, config.Parallelism)
	case config.Parallelism == 0:
		config.Parallelism = runtime.NumCPU()
	}
	return config, nil
}

// LoadInstances reads every *.json of a directory. One wrong file fails all, so that a reload changes all or nothing;
// the error names every wrong file. known says why a name is no controller that can be run.
func LoadInstances(directory string, known func(controller string) error) (map[string]Instance, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.json"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(directory); err != nil {
		return nil, fmt.Errorf("instances_dir: %w", err)
	}
	instances := map[string]Instance{}
	var wrong []error
	for _, file := range files {
		var instance Instance
		if err := readStrict(file, &instance); err != nil {
			wrong = append(wrong, err)
			continue
		}
		if err := instance.validate(known); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
			continue
		}
		if _, taken := instances[instance.Name]; taken {
			wrong = append(wrong, fmt.Errorf("%s: name: %q is in another file too", file, instance.Name))
			continue
		}
		for _, other := range instances {
			if err := instance.collides(other); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", file, err))
			}
		}
		instances[instance.Name] = instance
	}
	return instances, errors.Join(wrong...)
}

func (i Instance) validate(known func(string) error) error {
	required := map[string]string{
		"etcd_prefix": i.EtcdPrefix, "service_cluster_ip_range": i.ServiceClusterIPRange, "tls_cert_file": i.TLSCertFile,
		"tls_key_file": i.TLSKeyFile, "client_ca_file": i.ClientCAFile, "service_account_key_file": i.ServiceAccountKeyFile,
		"service_account_issuer": i.ServiceAccountIssuer,
	}
	for field, value := range required {
		if value == "" {
			return fmt.Errorf("%s: missing", field)
		}
	}
	switch {
	case !labelPattern.MatchString(i.Name):
		return fmt.Errorf("name: %q is no RFC 1123 label", i.Name)
	case net.ParseIP(i.BindAddress) == nil:
		return fmt.Errorf("bind_address: %q is no IP address", i.BindAddress)
	case i.SecurePort < 1 || i.SecurePort > 65535:
		return fmt.Errorf("secure_port: %d is not within 1 to 65535", i.SecurePort)
	case path.Clean(i.EtcdPrefix) != i.EtcdPrefix || !path.IsAbs(i.EtcdPrefix) || i.EtcdPrefix == "/":
		return fmt.Errorf("etcd_prefix: %q is no clean absolute path below /", i.EtcdPrefix)
	case i.APIServerMaxRequests < 0:
		return fmt.Errorf("apiserver_max_requests: %d is negative", i.APIServerMaxRequests)
	case len(i.Controllers) > 0 && i.KCMKubeconfig == "":
		return errors.New("kcm_kubeconfig: missing, and controllers are requested")
	}
	for _, name := range i.Controllers {
		if err := known(name); err != nil {
			return fmt.Errorf("controllers: %w", err)
		}
	}
	for _, argument := range i.APIServerExtraArgs {
		if err := checkExtraArgument(argument); err != nil {
			return fmt.Errorf("apiserver_extra_args: %w", err)
		}
	}
	return nil
}

// collides says why two instances cannot be in one process.
func (i Instance) collides(other Instance) error {
	if i.SecurePort == other.SecurePort && i.BindAddress == other.BindAddress {
		return fmt.Errorf("secure_port: %d is also that of %s", i.SecurePort, other.Name)
	}
	if strings.HasPrefix(i.EtcdPrefix+"/", other.EtcdPrefix+"/") || strings.HasPrefix(other.EtcdPrefix+"/", i.EtcdPrefix+"/") {
		return fmt.Errorf("etcd_prefix: %s overlaps that of %s (%s)", i.EtcdPrefix, other.Name, other.EtcdPrefix)
	}
	return nil
}

func checkExtraArgument(argument string) error {
	name, ok := strings.CutPrefix(argument, "--")
	if !ok {
		return fmt.Errorf("%q does not begin with --", argument)
	}
	name, _, _ = strings.Cut(name, "=")
	for _, flag := range processFlags {
		if name == flag || (strings.HasSuffix(flag, "-") && strings.HasPrefix(name, flag)) {
			return fmt.Errorf("--%s holds for the whole process, not for one instance; use the process driver, or feature_gates of the dense host's own file", name)
		}
	}
	if slices.Contains(managedFlags, name) {
		return fmt.Errorf("--%s is set by the instance's own fields", name)
	}
	return nil
}

// readStrict decodes one JSON document and refuses fields that are not known, and anything after the document.
func readStrict(file string, into any) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if decoder.More() {
		return fmt.Errorf("%s: more than one JSON document", file)
	}
	return nil
}
