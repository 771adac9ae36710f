// Package bootstrap takes control planes into use as kplane's bench does: ready, namespace, a custom resource that is
// created, Established and in discovery; each step's time is split into the server's, poll sleep, and the client's own.
package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"fleet.example/toolchain/load/cluster"
	"fleet.example/toolchain/load/lines"
)

// Order is what to take into use. Durations are seconds.
type Order struct {
	Clusters      []cluster.Cluster `json:"clusters"`
	Workers       int               `json:"workers"`
	Poll          float64           `json:"poll"`           // between two looks at readyz, Established and discovery
	NamespacePoll float64           `json:"namespace_poll"` // between two looks at the namespace
	Timeout       float64           `json:"timeout"`        // of one control plane
}

// Validate names the field that is wrong.
func (o Order) Validate() error {
	switch {
	case len(o.Clusters) == 0:
		return errors.New("clusters: none")
	case o.Workers < 1:
		return fmt.Errorf("workers: %d is not positive", o.Workers)
	case o.Poll <= 0 || o.NamespacePoll <= 0 || o.Timeout <= 0:
		return errors.New("poll, namespace_poll and timeout: seconds, positive")
	}
	for _, one := range o.Clusters {
		if err := one.Validate(); err != nil {
			return fmt.Errorf("clusters: %w", err)
		}
	}
	return nil
}

// Step is one step of one control plane. Wall is Server, Sleep and the client's own time together, in seconds.
type Step struct {
	Name     string  `json:"name"`
	Wall     float64 `json:"wall"`
	Server   float64 `json:"server"`
	Sleep    float64 `json:"sleep"`
	Requests int     `json:"requests"`
}

// Client is the rest: connecting, encoding, waiting for a processor.
func (s Step) Client() float64 { return s.Wall - s.Server - s.Sleep }

// Line is one control plane that was taken into use, or where it failed.
type Line struct {
	Event   string          `json:"event"` // "bootstrapped"
	Cluster string          `json:"cluster"`
	Begin   float64         `json:"begin"` // seconds after the client began
	Wall    float64         `json:"wall"`
	Steps   []Step          `json:"steps"`
	Failed  string          `json:"failed"` // the step; empty when all is well
	Outcome cluster.Outcome `json:"outcome"`
	Status  int             `json:"status"`
}

// Result is the last line.
type Result struct {
	Event   string      `json:"event"` // "result"
	Seconds float64     `json:"seconds"`
	Failed  int         `json:"failed"`
	Usage   lines.Usage `json:"usage"`
}

// Run takes all into use, Workers at a time, and writes a Line for each and a Result.
func Run(ctx context.Context, order Order, out *lines.Writer) error {
	clients := make([]*cluster.Client, len(order.Clusters))
	for i, one := range order.Clusters {
		client, err := cluster.New(one, nil)
		if err != nil {
			return fmt.Errorf("%w: clusters: %w", lines.ErrOrder, err)
		}
		defer client.Close()
		clients[i] = client
	}
	began, before := time.Now(), lines.Used()
	work := make(chan *cluster.Client)
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed int
	var broken error
	for range min(order.Workers, len(clients)) {
		group.Go(func() {
			for client := range work {
				line := one(ctx, client, order, began)
				err := out.Write(line)
				mu.Lock()
				if line.Failed != "" {
					failed++
				}
				broken = errors.Join(broken, err)
				mu.Unlock()
			}
		})
	}
	for _, client := range clients {
		work <- client
	}
	close(work)
	group.Wait()
	result := Result{"result", time.Since(began).Seconds(), failed, lines.Used().Since(before)}
	return errors.Join(broken, out.Write(result), context.Cause(ctx))
}

func one(ctx context.Context, client *cluster.Client, order Order, began time.Time) Line {
	ctx, cancel := context.WithTimeout(ctx, seconds(order.Timeout))
	defer cancel()
	start := time.Now()
	line := Line{Event: "bootstrapped", Cluster: client.Name, Begin: start.Sub(began).Seconds(), Outcome: cluster.Done, Steps: []Step{}}
	name, poll := client.Name, seconds(order.Poll)
	definition := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	steps := []struct {
		name, method, path string
		body               []byte
		poll               time.Duration // 0: one request that must succeed
		done               func(cluster.Answer) bool
	}{
		{"ready", http.MethodGet, "/readyz", nil, poll, nil},
		{"namespace", http.MethodGet, "/api/v1/namespaces/" + cluster.Namespace, nil, seconds(order.NamespacePoll), nil},
		{"crd", http.MethodPost, definition, cluster.CRD(name), 0, nil},
		{"established", http.MethodGet, definition + "/" + cluster.CRDName(name), nil, poll, established},
		{"discovery", http.MethodGet, cluster.DiscoveryPath(name), nil, poll, listed},
	}
	for _, step := range steps {
		taken, outcome, status := until(ctx, client, step.method, step.path, step.body, step.poll, step.done)
		taken.Name = step.name
		line.Steps = append(line.Steps, taken)
		if outcome != cluster.Done {
			line.Failed, line.Outcome, line.Status = step.name, outcome, status
			break
		}
	}
	line.Wall = time.Since(start).Seconds()
	return line
}

// until repeats a request until done says that its answer is the wanted one; without a poll one answer must do. A control
// plane that has the definition already is as good as one that makes it.
func until(
	ctx context.Context, client *cluster.Client, method, path string, body []byte, poll time.Duration, done func(cluster.Answer) bool,
) (Step, cluster.Outcome, int) {
	var step Step
	began := time.Now()
	for {
		answer, err := client.Do(ctx, method, path, body)
		step.Requests++
		step.Server += answer.Server.Seconds()
		outcome := cluster.Of(answer, err)
		good := outcome == cluster.Done && (done == nil || done(answer))
		if good || method == http.MethodPost && outcome == cluster.Conflict {
			step.Wall = time.Since(began).Seconds()
			return step, cluster.Done, answer.Status
		}
		if poll == 0 {
			step.Wall = time.Since(began).Seconds()
			return step, outcome, answer.Status
		}
		slept := time.Now()
		select {
		case <-ctx.Done():
			step.Wall = time.Since(began).Seconds()
			if outcome == cluster.Done {
				outcome = cluster.Timeout
			}
			return step, outcome, answer.Status
		case <-time.After(poll):
			step.Sleep += time.Since(slept).Seconds()
		}
	}
}

func established(answer cluster.Answer) bool {
	var crd struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if json.Unmarshal(answer.Body, &crd) != nil {
		return false
	}
	for _, condition := range crd.Status.Conditions {
		if condition.Type == "Established" && condition.Status == "True" {
			return true
		}
	}
	return false
}

func listed(answer cluster.Answer) bool {
	var list struct{ Resources []struct{ Name string } }
	return json.Unmarshal(answer.Body, &list) == nil && len(list.Resources) > 0
}

func seconds(value float64) time.Duration { return time.Duration(value * float64(time.Second)) }
