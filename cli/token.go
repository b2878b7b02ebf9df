// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

const (
	// tokenBytes is the number of random bytes in a token; in base64 they are 43 characters.
	tokenBytes = 32
	// lastUseMetric is the metric in which each replica reports the last use of each key.
	lastUseMetric = "lambdatest_scim_token_last_use_timestamp_seconds"
	// scrapeTimeout bounds the request to one replica.
	scrapeTimeout = 5 * time.Second
	// maxScrapeBytes of metrics are read from one replica.
	maxScrapeBytes = 16 << 20
)

// scraper reads metrics from the URLs that a person names, and from no other that they redirect to.
var scraper = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// tokenLine is one SCIM token as list shows it, without the token itself.
type tokenLine struct {
	Key     string     `json:"key"`
	State   string     `json:"state"`
	Expires *time.Time `json:"expires,omitempty"`
	// LastUse is when the token was last used: rounded down to the hour from the status, to the second from metrics.
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
	var which choice
	var key string
	var expiresIn lifetime
	command := &cobra.Command{
		Use:     "create",
		Short:   "Create a token and print it; it is shown only once",
		Example: "  kubectl lambdatest token create --key okta --expires-in 8760h",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			writer, organization, err := organizationOf(cmd.Context(), &where, &which)
			if err != nil {
				return err
			}
			created, err := addToken(cmd.Context(), writer, organization, key, time.Duration(expiresIn), time.Now())
			if err != nil {
				return err
			}
			printf(cmd.OutOrStdout(), "%s\n", created.token)
			printf(cmd.ErrOrStderr(), "Token %s will be accepted within seconds. Paste it into the identity provider.\n", created.key)
			return nil
		},
	}
	where.bind(command)
	which.bind(command, &where)
	command.Flags().StringVar(&key, "key", "", "`key` of the token in the Secret; default: a new key made from the current time")
	command.Flags().Var(&expiresIn, "expires-in", "how long the token is accepted, as a duration such as 8760h; default: for ever")
	return command
}

func tokenRotateCommand() *cobra.Command {
	var where cluster
	var which choice
	command := &cobra.Command{
		Use:   "rotate",
		Short: "Create a new token next to those in use, and print how to switch to it",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			writer, organization, err := organizationOf(cmd.Context(), &where, &which)
			if err != nil {
				return err
			}
			created, err := addToken(cmd.Context(), writer, organization, "", 0, time.Now())
			if err != nil {
				return err
			}
			printf(cmd.OutOrStdout(), "%s\n", created.token)
			printf(cmd.ErrOrStderr(), `Token %s and the older ones are now all accepted. Next:
  1. paste the new token into the identity provider, and test the connection there;
  2. check that the new token is used, and an hour later that the old one is no longer used:
       kubectl lambdatest token list --organization %[2]s
  3. remove the old token:
       kubectl lambdatest token remove KEY --organization %[2]s
`, created.key, organization.Name)
			return nil
		},
	}
	where.bind(command)
	which.bind(command, &where)
	return command
}

// lifetime is how long a token is accepted. Zero means for ever, so Set refuses zero and negative durations: they would be a mistake.
type lifetime time.Duration

// String, Set and Type implement pflag.Value.
func (l *lifetime) String() string {
	if *l == 0 {
		return ""
	}
	return time.Duration(*l).String()
}

// Set reads a duration.
func (l *lifetime) Set(text string) error {
	duration, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("must be a duration such as 8760h")
	}
	if duration < time.Second { // an expiry is stored in whole seconds
		return errors.New("--expires-in must be positive, such as 8760h")
	}
	*l = lifetime(duration)
	return nil
}

// Type is the name of the value in --help.
func (l *lifetime) Type() string { return "duration" }

// organizationOf connects, and finds the organization that a command is about.
func organizationOf(ctx context.Context, where *cluster, which *choice) (client.Client, *v1alpha1.LambdaTestOrganization, error) {
	connected, err := where.connect()
	if err != nil {
		return nil, nil, err
	}
	organization, err := which.find(ctx, connected, where.namespace)
	return connected, organization, err
}

func tokenListCommand() *cobra.Command {
	var where cluster
	var which choice
	var form output
	var metricsURLs []string
	command := &cobra.Command{
		Use:   "list",
		Short: "List the keys of the tokens, whether each token is accepted, and when it was last used",
		Long: `List the keys of the tokens, whether each token is accepted, and when it was last used. This needs the right to read the Secret.

The operator records the last use to the hour, in status.scimTokenLastUse of the organization. To see it to the second, name the metrics
endpoint of each replica with --metrics-url: the command reads the metric ` + lastUseMetric + `.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reader, organization, err := organizationOf(cmd.Context(), &where, &which)
			if err != nil {
				return err
			}
			lines, err := tokenLines(cmd.Context(), reader, organization, time.Now())
			if err != nil {
				return err
			}
			if err := addLastUse(cmd.Context(), lines, metricsURLs, organization.Namespace, organization.Name); err != nil {
				return err
			}
			return form.print(cmd.OutOrStdout(), lines, func(out io.Writer) error { return tokenTable(out, lines) })
		},
	}
	where.bind(command)
	which.bind(command, &where)
	form.bind(command)
	command.Flags().StringSliceVar(&metricsURLs, "metrics-url", strings.Fields(os.Getenv("METRICS_URLS")), "metrics `URL` of a replica; may be repeated; default: the environment variable METRICS_URLS, separated by spaces")
	return command
}

func tokenRemoveCommand() *cobra.Command {
	var where cluster
	var which choice
	var yes bool
	command := &cobra.Command{
		Use:   "remove KEY",
		Short: "Remove a token; the operator refuses it within seconds",
		Long: `Remove a token; the operator refuses it within seconds.

The command asks first if the token may still be in use: it may have been used within the last hour, or no use of it is recorded.`,
		Example: "  kubectl lambdatest token remove token-20261124-230652",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key := args[0]
			writer, organization, err := organizationOf(cmd.Context(), &where, &which)
			if err != nil {
				return err
			}
			if err := removable(cmd.Context(), writer, organization, key); err != nil {
				return err
			}
			doubt := stillInUse(organization, key, time.Now())
			if doubt != "" && !yes && !confirmed(cmd.InOrStdin(), cmd.OutOrStdout(), "%s An identity provider that still uses it will be refused. Remove it?", doubt) {
				return errNothingDone
			}
			if err := removeToken(cmd.Context(), writer, organization, key); err != nil {
				return err
			}
			printf(cmd.OutOrStdout(), "Token %s is removed; the operator refuses it within seconds.\n", key)
			return nil
		},
	}
	where.bind(command)
	which.bind(command, &where)
	command.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation")
	return command
}

// stillInUse says why a token may still be in use; empty when it was certainly not used in the last hour. A recorded use is rounded down
// to the hour, so it may have been up to an hour later.
func stillInUse(organization *v1alpha1.LambdaTestOrganization, key string, now time.Time) string {
	hour, recorded := organization.Status.SCIMTokenLastUse[key]
	switch {
	case !recorded:
		return fmt.Sprintf("No use of token %s is recorded, so an identity provider may still use it.", key)
	case now.Sub(hour.Time) < 2*time.Hour:
		return fmt.Sprintf("Token %s was used between %s and now.", key, hour.UTC().Format(time.RFC3339))
	default:
		return ""
	}
}

// newToken is a token that was just created; it is shown only now.
type newToken struct{ key, token string }

// addToken adds a new random token under the key, which must be free, or under a new key if key is empty.
func addToken(ctx context.Context, writer client.Client, organization *v1alpha1.LambdaTestOrganization, key string, lifetime time.Duration, now time.Time) (newToken, error) {
	if problems := validation.IsConfigMapKey(key); key != "" && len(problems) > 0 {
		return newToken{}, fmt.Errorf("--key %s: %s", key, problems[0])
	}
	random := make([]byte, tokenBytes)
	if _, err := rand.Read(random); err != nil {
		return newToken{}, err
	}
	created := newToken{token: base64.RawURLEncoding.EncodeToString(random)}
	err := editTokens(ctx, writer, organization, func(secret *corev1.Secret) error {
		created.key = cmp.Or(key, freeKey(secret.Data, now))
		if _, taken := secret.Data[created.key]; taken {
			return fmt.Errorf("token %s already exists: choose another --key, or omit it", key)
		}
		if len(secret.Data) >= v1alpha1.MaxSCIMTokens {
			return fmt.Errorf("there are %d tokens already, and no more are accepted: remove one first", len(secret.Data))
		}
		secret.Data[created.key] = []byte(created.token)
		if lifetime > 0 {
			secret.Annotations[v1alpha1.ExpiresAnnotationPrefix+created.key] = now.Add(lifetime).UTC().Format(time.RFC3339)
		}
		return nil
	})
	return created, err
}

// freeKey makes a key from the time, followed by a number if that key is taken.
func freeKey(taken map[string][]byte, now time.Time) string {
	base := "token-" + now.UTC().Format("20060102-150405")
	key := base
	for number := 2; ; number++ {
		if _, there := taken[key]; !there {
			return key
		}
		key = fmt.Sprintf("%s-%d", base, number)
	}
}

func removeToken(ctx context.Context, writer client.Client, organization *v1alpha1.LambdaTestOrganization, key string) error {
	return editTokens(ctx, writer, organization, func(secret *corev1.Secret) error {
		if err := isRemovable(secret, key); err != nil {
			return err
		}
		delete(secret.Data, key)
		delete(secret.Annotations, v1alpha1.ExpiresAnnotationPrefix+key)
		return nil
	})
}

// removable is the check of isRemovable before the question to the user.
func removable(ctx context.Context, reader client.Reader, organization *v1alpha1.LambdaTestOrganization, key string) error {
	secret, err := readTokens(ctx, reader, organization)
	if err != nil {
		return err
	}
	return isRemovable(secret, key)
}

func isRemovable(secret *corev1.Secret, key string) error {
	if _, there := secret.Data[key]; !there {
		return fmt.Errorf("there is no token %s", key)
	}
	if len(secret.Data) == 1 {
		return fmt.Errorf("%s is the only token: create another one first, otherwise the identity provider is locked out", key)
	}
	return nil
}

// readTokens reads the Secret of an organization's SCIM tokens.
func readTokens(ctx context.Context, reader client.Reader, organization *v1alpha1.LambdaTestOrganization) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()}
	err := reader.Get(ctx, key, secret)
	switch {
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("the tokens are in Secret %s of namespace %s, which you may not read: %w", key.Name, key.Namespace, err)
	case err != nil:
		return nil, fmt.Errorf("reading Secret %s: %w", key.Name, err)
	}
	return secret, nil
}

// editTokens changes the organization's SCIM token Secret, or creates it if it does not exist. After a conflict with another writer it
// makes the edit again.
func editTokens(ctx context.Context, writer client.Client, organization *v1alpha1.LambdaTestOrganization, edit func(*corev1.Secret) error) error {
	again := func(err error) bool { return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) }
	return retry.OnError(retry.DefaultRetry, again, func() error {
		secret, err := readTokens(ctx, writer, organization)
		missing := apierrors.IsNotFound(err)
		if missing {
			secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: organization.Namespace, Name: organization.SCIMTokenSecretName()}}
		} else if err != nil {
			return err
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
			return writer.Create(ctx, secret)
		}
		return writer.Patch(ctx, secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}

func tokenLines(ctx context.Context, reader client.Reader, organization *v1alpha1.LambdaTestOrganization, now time.Time) ([]tokenLine, error) {
	secret, err := readTokens(ctx, reader, organization)
	if err != nil {
		return nil, err
	}
	lines := []tokenLine{}
	for _, token := range v1alpha1.ParseSCIMTokens(secret.Data, secret.Annotations) {
		line := tokenLine{Key: token.Key, State: "accepted"}
		switch {
		case token.Ignored != "":
			line.State = "ignored: it " + token.Ignored
		case token.IsExpired(now):
			line.State = "expired"
		}
		if !token.Expires.IsZero() {
			line.Expires = &token.Expires
		}
		if hour, recorded := organization.Status.SCIMTokenLastUse[token.Key]; recorded {
			line.LastUse = new(hour.UTC())
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// addLastUse reads the metrics of every replica, and keeps the latest use of each key.
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
	response, err := scraper.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(url + " answers " + response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(response.Body, maxScrapeBytes))
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
		rows = append(rows, []string{line.Key, line.State, timeText(line.Expires, "never"), useText(line.LastUse)})
	}
	return printTable(out, []string{"KEY", "STATE", "EXPIRES", "LAST USED"}, rows)
}

func timeText(at *time.Time, otherwise string) string {
	if at == nil {
		return otherwise
	}
	return at.UTC().Format(time.RFC3339)
}

// useText shows a use to the hour if it is from the status, and to the second if it is from metrics.
func useText(at *time.Time) string {
	if at != nil && at.Equal(at.Truncate(time.Hour)) {
		return at.UTC().Format("2006-01-02 15:04") + at.UTC().Add(time.Hour).Format("-15:04Z")
	}
	return timeText(at, "not recorded")
}
