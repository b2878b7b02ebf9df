// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// otherCRDs are files of CRDs by the module of the project that they belong to; test/install/crds pins the versions.
var otherCRDs = map[string][]string{
	"github.com/cert-manager/cert-manager": {
		"deploy/crds/cert-manager.io_certificates.yaml",
		"deploy/crds/cert-manager.io_issuers.yaml",
		"deploy/crds/cert-manager.io_clusterissuers.yaml",
	},
	"github.com/prometheus-operator/prometheus-operator": {
		"example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
	},
	"sigs.k8s.io/gateway-api": {
		"config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
	},
}

// installOtherCRDs installs the CRDs of the projects that this one has resources for: their own rules judge those.
func (c *cluster) installOtherCRDs(ctx context.Context) {
	GinkgoHelper()
	pins := filepath.Join(root, "test/install/crds")
	module, err := os.ReadFile(filepath.Join(pins, "go.mod"))
	Expect(err).NotTo(HaveOccurred())
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json")
	command.Dir = pins
	command.Env = append(os.Environ(), "GOWORK=off")
	for _, pin := range regexp.MustCompile(`(?m)^\t(\S+) (v\S+)$`).FindAllStringSubmatch(string(module), -1) {
		command.Args = append(command.Args, pin[1]+"@"+pin[2])
	}
	output, err := run(command)
	Expect(err).NotTo(HaveOccurred())
	var files []string
	for modules := json.NewDecoder(bytes.NewBufferString(output)); ; {
		var downloaded struct{ Path, Dir string }
		err := modules.Decode(&downloaded)
		if errors.Is(err, io.EOF) {
			break
		}
		Expect(err).NotTo(HaveOccurred())
		for _, file := range otherCRDs[downloaded.Path] {
			files = append(files, filepath.Join(downloaded.Dir, file))
		}
	}
	Expect(files).NotTo(BeEmpty())
	Expect(c.plane.InstallCRDs(files...)).To(Succeed())
}

// issueCertificate does what cert-manager does: it writes the Secret.
func (c *cluster) issueCertificate(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "scim"},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	private, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	Expect(c.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       corev1.SecretTypeTLS,
		Data: map[string][]byte{
			corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
			corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		},
	})).To(Succeed())
}

var _ = Describe("what other projects act on", Ordered, func() {
	var c *cluster

	BeforeAll(func(ctx SpecContext) {
		c = startCluster(ctx)
		c.installOtherCRDs(ctx)
	})

	DescribeTable("is accepted by their own CRDs, from every overlay",
		func(ctx SpecContext, overlay string) {
			c.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "--validate=strict", "-k", filepath.Join(root, "config/overlays", overlay))
		},
		Entry("cert-manager", "cert-manager"),
		Entry("Prometheus Operator", "service-monitor"),
		Entry("network policy", "network-policy"),
	)

	It("is accepted by their own CRDs, from the samples that expose the endpoint", func(ctx SpecContext) {
		c.kubectl(ctx, "apply", "--server-side", "--validate=strict", "-f", filepath.Join(root, "config/samples/expose"))
	})

	It("is accepted by their own CRDs, from a chart with everything switched on", func(ctx SpecContext) {
		c.helm(ctx, "install", "everything", chartPath(), "--namespace", "everything", "--create-namespace",
			"--values", filepath.Join(chartPath(), "ci/everything-values.yaml"), "--set", "crds.install=false")
		for _, kind := range []string{"certificates", "servicemonitors", "ingresses", "httproutes", "networkpolicies"} {
			Expect(c.kubectl(ctx, "get", kind, "--namespace", "everything", "--output=name")).NotTo(BeEmpty(), kind)
		}
	})
})
