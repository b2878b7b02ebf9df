// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// tokenBytes of randomness are 43 characters of base64.
	tokenBytes = 32
	// lastUseMetric is what each replica says about each key.
	lastUseMetric = "lambdatest_scim_token_last_use_timestamp_seconds"
	// scrapeTimeout is for one replica.
	scrapeTimeout = 5 * time.Second
)

// tokenLine is one SCIM token as list shows it; the token itself never.
type tokenLine struct {
	Key     string     `json:"key"`
	State   string     `json:"state"`
	Expires *time.Time `json:"expires,omitempty"`
	LastUse *time.Time `json:"lastUse,omitempty"`
}

func tokenCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "token",
		Short: "Create, rotate, list and remove the tokens that identity providers present",
	}
	command.AddCommand(tokenCreateCommand(), tokenRotateCommand(), tokenListCommand(), tokenRemoveCommand())
	return command
}

func tokenCreateCommand() *cobra.Command {
	var where cluster
	var key string
	var lifetime time.Duration
	command := &cobra.Command{
		Use:     "create ORGANIZATION",
		Short:   "Create a token and print it, once",
		Example: "  kubectl lambdatest token create default --key okta --expires-in 8760h",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			writer, err := where.connect()
			if err != nil {
				return err
			}
			token, err := addToken(cmd.Context(), writer, where.namespace, args[0], key, lifetime)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), token)
			fmt.Fprintf(cmd.ErrOrStderr(), "Token %q is accepted within seconds. Paste it into the identity provider.\n", key)
			return nil
		},
	}
	where.bind(command)
	command.Flags().StringVar(&key, "key", "token", "`key` in the Secret, by which the token is known from now on")
	command.Flags().DurationVar(&lifetime, "expires-in", 0, "how long the token is accepted, such as 8760h; default for ever")
	return command
}

func tokenRotateCommand() *cobra.Command {
	var where cluster
	command := &cobra.Command{
		Use:   "rotate ORGANIZATION",
		Short: "Create the next token beside those in use, and say how to switch",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			writer, err := where.connect()
			if err != nil {
				return err
			}
			key := "token-" + time.Now().UTC().Format("20060102-150405")
			token, err := addToken(cmd.Context(), writer, where.namespace, args[0], key, 0)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), token)
			fmt.Fprintf(cmd.ErrOrStderr(), `Token %q and the ones before are accepted side by side. Now:
  1. paste it into the identity provider, and test the connection there;
  2. see that the new one is used and the old one no longer:  kubectl lambdatest token list %s
  3. remove the old one:                                      kubectl lambdatest token remove %s KEY
`, key, args[0], args[0])
			return nil
		},
	}
	where.bind(command)
	return command
}

func tokenListCommand() *cobra.Command {
	var where cluster
	var form output
	var metricsURLs []string
	command := &cobra.Command{
		Use:   "list ORGANIZATION",
		Short: "List the tokens by their keys, whether they are accepted, and when they were last used",
		Long: `List the tokens by their keys, whether they are accepted, and when they were last used.

Each replica knows when a token was last presented to it, as the metric ` + lastUseMetric + `.
With --metrics-url it is read from there; in a cluster ask your Prometheus for max by (key).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			reader, err := where.connect()
			if err != nil {
				return err
			}
			lines, err := tokenLines(cmd.Context(), reader, where.namespace, args[0])
			if err != nil {
				return err
			}
			if err := addLastUse(cmd.Context(), lines, metricsURLs, where.namespace, args[0]); err != nil {
				return err
			}
			return form.print(cmd.OutOrStdout(), lines, func(out io.Writer) error { return tokenTable(out, lines) })
		},
	}
	where.bind(command)
	form.bind(command)
	command.Flags().StringSliceVar(&metricsURLs, "metrics-url", strings.Fields(os.Getenv("METRICS_URLS")), "metrics `URL` of each replica, as in METRICS_URLS")
	return command
}

func tokenRemoveCommand() *cobra.Command {
	var where cluster
	command := &cobra.Command{
		Use:   "remove ORGANIZATION KEY",
		Short: "Remove a token; it is refused within seconds",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			writer, err := where.connect()
			if err != nil {
				return err
			}
			if err := removeToken(cmd.Context(), writer, where.namespace, args[0], args[1]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Token %q is removed, and refused within seconds.\n", args[1])
			return nil
		},
	}
	where.bind(command)
	return command
}

// addToken puts a new random token under a key that is not taken.
func addToken(ctx context.Context, writer client.Client, namespace, name, key string, lifetime time.Duration) (string, error) {
	random := make([]byte, tokenBytes)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	token := base64.RawURLEncoding.EncodeToString(random)
	return token, editTokens(ctx, writer, namespace, name, func(secret *corev1.Secret) error {
		if _, taken := secret.Data[key]; taken {
			return fmt.Errorf("there is a token %q already: choose another --key, or use rotate", key)
		}
		secret.Data[key] = []byte(token)
		if lifetime > 0 {
			secret.Annotations[v1alpha1.ExpiresAnnotationPrefix+key] = time.Now().Add(lifetime).UTC().Format(time.RFC3339)
		}
		return nil
	})
}

func removeToken(ctx context.Context, writer client.Client, namespace, name, key string) error {
	return editTokens(ctx, writer, namespace, name, func(secret *corev1.Secret) error {
		if _, there := secret.Data[key]; !there {
			return fmt.Errorf("there is no token %q", key)
		}
		if len(secret.Data) == 1 {
			return fmt.Errorf("%q is the only token: create another one first, or the identity provider is locked out", key)
		}
		delete(secret.Data, key)
		delete(secret.Annotations, v1alpha1.ExpiresAnnotationPrefix+key)
		return nil
	})
}

// editTokens changes the organization's SCIM token Secret, and creates it when the organization names one that is not there.
func editTokens(ctx context.Context, writer client.Client, namespace, name string, edit func(*corev1.Secret) error) error {
	organization, err := findOrganization(ctx, writer, namespace, name)
	if err != nil {
		return err
	}
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: namespace, Name: organization.SCIMTokenSecretName()}
	err = writer.Get(ctx, key, secret)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return fmt.Errorf("reading Secret %s: %w", key.Name, err)
	}
	before := secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	if secret.Annotations == nil {
		secret.Annotations = map[string]string{}
	}
	if err := edit(secret); err != nil {
		return err
	}
	if missing {
		secret.ObjectMeta = metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Annotations: secret.Annotations}
		return writer.Create(ctx, secret)
	}
	return writer.Patch(ctx, secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

func tokenLines(ctx context.Context, reader client.Reader, namespace, name string) ([]tokenLine, error) {
	organization, err := findOrganization(ctx, reader, namespace, name)
	if err != nil {
		return nil, err
	}
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: namespace, Name: organization.SCIMTokenSecretName()}
	if err := reader.Get(ctx, key, secret); err != nil {
		return nil, fmt.Errorf("reading Secret %s: %w", key.Name, err)
	}
	lines := []tokenLine{}
	for _, token := range v1alpha1.ParseSCIMTokens(secret.Data, secret.Annotations) {
		line := tokenLine{Key: token.Key, State: "accepted"}
		switch {
		case token.Ignored != "":
			line.State = "ignored: it " + token.Ignored
		case token.IsExpired(time.Now()):
			line.State = "expired"
		}
		if !token.Expires.IsZero() {
			line.Expires = &token.Expires
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// addLastUse asks every replica and keeps the latest answer for each key.
func addLastUse(ctx context.Context, lines []tokenLine, urls []string, namespace, organization string) error {
	for _, url := range urls {
		uses, err := lastUses(ctx, url, namespace, organization)
		if err != nil {
			return fmt.Errorf("reading metrics: %w", err)
		}
		for i := range lines {
			used, known := uses[lines[i].Key]
			if known && (lines[i].LastUse == nil || used.After(*lines[i].LastUse)) {
				lines[i].LastUse = &used
			}
		}
	}
	return nil
}

func lastUses(ctx context.Context, url, namespace, organization string) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(url + " answers " + response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, err
	}
	uses := map[string]time.Time{}
	for _, metric := range families[lastUseMetric].GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		if labels["namespace"] == namespace && labels["organization"] == organization {
			uses[labels["key"]] = time.Unix(int64(metric.GetGauge().GetValue()), 0).UTC()
		}
	}
	return uses, nil
}

func tokenTable(out io.Writer, lines []tokenLine) error {
	rows := make([][]string, 0, len(lines))
	for _, line := range lines {
		rows = append(rows, []string{strconv.Quote(line.Key), line.State, timeText(line.Expires, "never"), timeText(line.LastUse, "unknown")})
	}
	return printTable(out, []string{"KEY", "STATE", "EXPIRES", "LAST USED"}, rows)
}

func timeText(at *time.Time, otherwise string) string {
	if at == nil {
		return otherwise
	}
	return at.UTC().Format(time.RFC3339)
}
