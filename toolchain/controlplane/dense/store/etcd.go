package store

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"

	"fleet.example/toolchain/controlplane/dense/settings"
)

const (
	// etcdDeadline bounds the wait for etcd; then the process ends and its supervisor starts it again.
	etcdDeadline = 5 * time.Minute
	// A read that comes before etcd has elected its leader is answered only when it is asked again: the first attempt is
	// short, and each next one twice as long.
	firstAttempt, longestAttempt = 100 * time.Millisecond, 5 * time.Second
)

func clientConfig(etcd settings.Etcd) (clientv3.Config, error) {
	config := clientv3.Config{Endpoints: etcd.Servers, DialTimeout: 5 * time.Second, Logger: zap.NewNop()}
	if etcd.CAFile != "" {
		tls, err := transport.TLSInfo{TrustedCAFile: etcd.CAFile, CertFile: etcd.CertFile, KeyFile: etcd.KeyFile}.ClientConfig()
		if err != nil {
			return config, fmt.Errorf("etcd: %w", err)
		}
		config.TLS = tls
	}
	return config, nil
}

// WaitForEtcd returns when etcd answers a linearizable read: an API server that starts without it ends the process.
func WaitForEtcd(ctx context.Context, etcd settings.Etcd) error {
	config, err := clientConfig(etcd)
	if err != nil {
		return err
	}
	client, err := clientv3.New(config)
	if err != nil {
		return err
	}
	defer client.Close()
	var last error
	patience := firstAttempt
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, etcdDeadline, true, func(ctx context.Context) (bool, error) {
		attempt, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		patience = min(2*patience, longestAttempt)
		if _, last = client.Get(attempt, "health"); last != nil {
			klog.InfoS("Waiting for etcd", "servers", etcd.Servers, "err", last)
		}
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("etcd at %v does not answer: %w (last: %w)", etcd.Servers, err, last)
	}
	return nil
}
