// HTTP clients of Go: main CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/Azure/go-ntlmssp"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/spnego"
)

const limit = 15 * time.Second

type doer interface {
	Do(*http.Request) (*http.Response, error)
}

func byKerberos() (doer, error) {
	settings, err := config.Load(os.Getenv("KRB5_CONFIG"))
	if err != nil {
		return nil, err
	}
	cache, err := credentials.LoadCCache(strings.TrimPrefix(os.Getenv("KRB5CCNAME"), "FILE:"))
	if err != nil {
		return nil, err
	}
	tickets, err := client.NewFromCCache(cache, settings, client.DisablePAFXFAST(true))
	if err != nil {
		return nil, err
	}
	return spnego.NewClient(tickets, &http.Client{Timeout: limit}, "HTTP/localhost"), nil
}

func main() {
	name, base, user, password := os.Args[1], os.Args[3], os.Args[4], os.Args[5]
	var session doer = &http.Client{Timeout: limit, Transport: ntlmssp.Negotiator{RoundTripper: &http.Transport{}}}
	if name == "gokrb5" {
		var err error
		if session, err = byKerberos(); err != nil {
			fmt.Println("error", err)
			return
		}
	}
	for _, step := range os.Args[6:] {
		words := strings.Split(step, " ")
		var body io.Reader
		if len(words) > 2 {
			content, err := os.ReadFile(words[2])
			if err != nil {
				panic(err)
			}
			body = bytes.NewReader(content)
		}
		request, err := http.NewRequest(words[0], base+words[1], body)
		if err != nil {
			panic(err)
		}
		if name == "go-ntlmssp" {
			request.SetBasicAuth(user, password)
		}
		if body != nil {
			request.Header.Set("Content-Type", "application/octet-stream")
		}
		answer, err := session.Do(request)
		if err != nil {
			fmt.Println("error", err)
			continue
		}
		content, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Println(answer.StatusCode, string(content))
	}
}
