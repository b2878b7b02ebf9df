// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package security

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/lambdatest-operator/lambdatest-operator/test/environment"
)

const (
	// bombTime is what the endpoint may take to refuse a bomb, on a loaded machine.
	bombTime = 10 * time.Second
	// bombMemory is by how much bombs may make a replica grow; the pods' limit is far above.
	bombMemory = 192 << 20
)

var _ = Describe("A body", Label("bodies"), func() {
	DescribeTable("that is a bomb is refused soon, and does not fill the memory",
		func(ctx SpecContext, method, path string, body func() string) {
			before := residentMemory(ctx)
			bomb := body()
			limited, cancel := within(ctx, bombTime)
			defer cancel()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					defer GinkgoRecover()
					answer := acme.ask(limited, method, path, bomb)
					Expect(answer.status).To(BeElementOf(http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusNotFound), "%.500s", answer.body)
					Expect(len(answer.body)).To(BeNumerically("<", 4096), "the answer does not repeat the bomb")
				})
			}
			all.Wait()
			grown := int(residentMemory(ctx)) - int(before)
			AddReportEntry("grown by", named("%d MiB", grown>>20))
			Expect(grown).To(BeNumerically("<", bombMemory))
		},
		Entry("larger than a user", http.MethodPost, "/Users", func() string { return userBody("x@example.com", `"x":"`+bytesOf(2)+`"`) }),
		Entry("larger than a group", http.MethodPost, "/Groups", func() string { return `{"displayName":"x","x":"` + bytesOf(17) + `"}` }),
		Entry("nested deep", http.MethodPost, "/Users", func() string { return strings.Repeat("[", 500_000) }),
		Entry("nested deep and closed", http.MethodPost, "/Groups", func() string { return strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000) }),
		Entry("millions of empty lists", http.MethodPost, "/Groups", func() string { return `{"displayName":"","members":[` + strings.Repeat("[],", 5_000_000) + `[]]}` }),
		Entry("millions of empty objects", http.MethodPost, "/Groups", func() string { return `{"displayName":"","members":[` + strings.Repeat("{},", 5_000_000) + `{}]}` }),
		Entry("millions of numbers", http.MethodPost, "/Groups", func() string { return `{"displayName":"","members":[` + strings.Repeat("1,", 7_000_000) + `1]}` }),
		Entry("a hundred thousand keys", http.MethodPost, "/Users", func() string {
			return "{" + manyTimes(60_000, func(i int) string { return fmt.Sprintf(`"k%d":1`, i) }) + "}"
		}),
		Entry("a number without end", http.MethodPost, "/Users", func() string { return userBody("x@example.com", `"active":1e999999999`) }),
		Entry("a number of a megabyte", http.MethodPost, "/Users", func() string { return userBody("x@example.com", `"active":`+strings.Repeat("9", 900_000)) }),
		Entry("a PATCH of too many operations", http.MethodPatch, "/Users/x", func() string {
			return `{"Operations":[` + manyTimes(10_000, func(int) string { return `{"op":"remove","path":"title"}` }) + `]}`
		}),
		Entry("a filter of too many terms", http.MethodPost, "/Users/.search", func() string {
			return `{"filter":"` + strings.Repeat("title pr or ", 500) + `title pr"}`
		}),
		Entry("a filter nested too deep", http.MethodPost, "/Users/.search", func() string {
			return `{"filter":"` + strings.Repeat("(", 2000) + "title pr" + strings.Repeat(")", 2000) + `"}`
		}),
		Entry("YAML with aliases of aliases", http.MethodPost, "/Users", yamlBomb),
	)

	It("that never ends is cut off at the limit", func(ctx SpecContext) {
		endless := io.MultiReader(strings.NewReader(`{"userName":"`), endlessly{})
		answer, err := send(ctx, http.MethodPost, env.Replicas[0].SCIMURL+"/Users", endless, "Bearer "+acme.SCIMToken)
		if err == nil { // the client may see the closed connection before it reads the answer
			Expect(answer.status).To(Equal(http.StatusRequestEntityTooLarge))
		}
		Expect(acme.ask(ctx, http.MethodGet, "/Users", "").status).To(Equal(http.StatusOK))
	})

	It("that is compressed is not unpacked", func(ctx SpecContext) {
		connection := dial()
		connection.says(acme, "POST /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nContent-Type: "+scimType+"\nContent-Encoding: gzip\nContent-Length: 2\nConnection: close\n\n{}")
		answers, _ := connection.hears(5 * time.Second)
		Expect(statuses(answers)).To(Equal([]int{http.StatusUnsupportedMediaType}))
	})

	It("that is YAML with aliases of aliases does not hurt who plans a folder", func(ctx SpecContext) {
		folder := GinkgoT().TempDir()
		Expect(os.WriteFile(filepath.Join(folder, "bomb.yaml"), []byte(yamlBomb()), 0o600)).To(Succeed())
		limited, cancel := within(ctx, bombTime)
		defer cancel()
		plan := exec.CommandContext(limited, filepath.Join(env.Dir(), "lambdatest-operator"), "plan", "--kubeconfig="+env.Plane.KubeconfigPath(),
			"--namespace="+environment.Namespace, "--organization="+acme.Name, "--filename="+folder)
		output, err := plan.CombinedOutput()
		Expect(limited.Err()).NotTo(HaveOccurred(), "it took too long")
		Expect(err).To(HaveOccurred(), "%s", output)
		Expect(string(output)).To(ContainSubstring("bomb.yaml"))
		Expect(len(output)).To(BeNumerically("<", 4096))
	})
})

// yamlBomb is a list of a billion elements, if somebody follows its aliases.
func yamlBomb() string {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return bomb.String() + "apiVersion: iam.lambdatest.io/v1alpha1\nkind: LambdaTestUser\nmetadata: {name: x}\nspec: *a9\n"
}

func manyTimes(count int, item func(int) string) string {
	items := make([]string, count)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, ",")
}

// endlessly is a body of x.
type endlessly struct{}

func (endlessly) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = 'x'
	}
	return len(into), nil
}

var resident = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`)

// residentMemory is what the first replica says it takes.
func residentMemory(ctx context.Context) float64 {
	GinkgoHelper()
	return residentMemoryOf(ctx, env.Replicas[0])
}

func residentMemoryOf(ctx context.Context, replica *environment.Replica) float64 {
	GinkgoHelper()
	page, err := send(ctx, http.MethodGet, replica.MetricsURL, nil, "")
	Expect(err).NotTo(HaveOccurred())
	found := resident.FindStringSubmatch(page.body)
	Expect(found).NotTo(BeNil())
	size, err := strconv.ParseFloat(found[1], 64)
	Expect(err).NotTo(HaveOccurred())
	return size
}

var _ = Describe("A client that is slow", Label("slow-clients"), func() {
	It("is cut off, in its headers or in its body, after 10 s, and nobody waits for it", func(ctx SpecContext) {
		const many = 300
		headers := dial()
		headers.says(acme, "GET /scim/v2/Users HTTP/1.1\nHost: x\nX: ")
		body := dial()
		body.says(acme, "POST /scim/v2/Users HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nContent-Length: 100\n\n{")
		for range many {
			dial()
		}
		started := time.Now()
		Expect(acme.ask(ctx, http.MethodGet, "/Users?count=1", "").status).To(Equal(http.StatusOK), "while %d wait", many)

		_, closed := headers.hears(20 * time.Second)
		Expect(closed).To(BeTrue())
		AddReportEntry("headers cut off after", time.Since(started).String())
		Expect(time.Since(started)).To(BeNumerically("~", 10*time.Second, 5*time.Second))

		answers, closed := body.hears(20 * time.Second)
		Expect(closed).To(BeTrue())
		Expect(statuses(answers)).To(Equal([]int{http.StatusRequestTimeout}))
		AddReportEntry("body cut off after", time.Since(started).String())
		Expect(time.Since(started)).To(BeNumerically("~", 10*time.Second, 5*time.Second))
	}, NodeTimeout(time.Minute))

	It("holds no memory by what it says it will send: another tenant's large group, and its denial without a length, pass at once", func(ctx SpecContext) {
		who := acme.user(ctx, address("leaver"))
		for range 2 {
			slow := dial()
			slow.says(mallory, "POST /scim/v2/Groups HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\nContent-Length: 16777216\n\n{")
			go func() {
				for range 4 { // until the endpoint has enough of it
					time.Sleep(2 * time.Second)
					_, _ = slow.Write([]byte(" "))
				}
			}()
		}
		time.Sleep(time.Second) // both are being read now

		limited, cancel := within(ctx, 4*time.Second) // less than a body waits for its share of the memory
		defer cancel()
		group := acme.ask(limited, http.MethodPost, "/Groups", `{"displayName":"`+address("group")+`","x":"`+strings.Repeat("x", 70<<10)+`"}`)
		Expect(group.status).To(Equal(http.StatusCreated), "%.500s", group.body)
		denial := `{"Operations":[{"op":"replace","path":"active","value":false}]}`
		chunked := io.MultiReader(strings.NewReader(denial)) // of which the client does not know the length
		Expect(acme.say(limited, http.MethodPatch, "/Users/"+who, chunked, "Bearer "+acme.SCIMToken).status).To(Equal(http.StatusOK))
	}, NodeTimeout(time.Minute))
})
