package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

func TestBadInputIsExitCode2(t *testing.T) {
	for name, given := range map[string]struct {
		arguments []string
		order     string
		says      string
	}{
		"no command":    {nil, "", "usage"},
		"no such":       {[]string{"sing"}, "", "|create|load|"},
		"no order":      {[]string{"load"}, "", "stdin has no line"},
		"unknown field": {[]string{"load"}, `{"clutsers": []}` + "\n", "clutsers"},
		"wrong field":   {[]string{"bootstrap"}, `{"clusters": []}` + "\n", "clusters: none"},
	} {
		var complaints bytes.Buffer
		code := run(context.Background(), given.arguments, strings.NewReader(given.order), io.Discard, &complaints)
		if code != 2 || !strings.Contains(complaints.String(), given.says) {
			t.Errorf("%s: exit code %d, %q", name, code, complaints.String())
		}
	}
}
