// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/lambdatest-operator/lambdatest-operator/api/v1alpha1"
)

// whyOptions are the flags of why.
type whyOptions struct {
	where     cluster
	which     choice
	form      output
	unclaimed unclaimedSource
	audit     auditFile
}

// explanation is the output of why, in sentences.
type explanation struct {
	AsOf   metav1.Time `json:"asOf"`
	Person personRow   `json:"person"`
	// Answer says whether the person can sign in.
	Answer string `json:"answer"`
	// Because says which resource decides what, and why LambdaTest differs if it does.
	Because []string `json:"because"`
	// Change says what would change the answer.
	Change []string `json:"change"`
	// History is what the audit trail says, oldest first.
	History []string `json:"history,omitempty"`
}

func whyCommand() *cobra.Command {
	options := &whyOptions{which: choice{all: true}}
	command := &cobra.Command{
		Use:   "why PERSON",
		Short: "Explain why a person can or cannot sign in, which resource says so, and what would change it",
		Long: `Explain in sentences why a person can or cannot sign in at LambdaTest, which resource says so, and what would change it.

PERSON is an address, or the name of a LambdaTestUser about the person. The command reads resources. For an account that no resource is
about, --from-lambdatest reads the list of accounts at LambdaTest. With --audit, the command adds what a shipped audit trail says about the
person, also about an address whose resources are gone.`,
		Example: `  kubectl lambdatest why ada@example.com
  # By the id of the person in the identity provider's requests
  kubectl lambdatest why scim-3irzrh5ttlhbmhlcpqesbkw5oe
  # With everything that was done about the person
  kubectl lambdatest why ada@example.com --audit audit.jsonl`,
		Args: onePerson,
		RunE: func(cmd *cobra.Command, args []string) error { return options.run(cmd, args[0]) },
	}
	options.where.bind(command)
	options.which.bind(command, &options.where)
	options.form.bind(command)
	options.unclaimed.bind(command)
	options.audit.bind(command)
	command.ValidArgsFunction = personNames(&options.where, &options.which)
	return command
}

func (o *whyOptions) run(command *cobra.Command, argument string) error {
	reader, err := o.where.connect()
	if err != nil {
		return err
	}
	read, err := readRoster(command.Context(), reader, o.where.namespace, o.which.name)
	if err != nil {
		return err
	}
	rows := read.people()
	if o.unclaimed.fromLambdaTest {
		if rows, _, err = o.unclaimed.add(command.Context(), command, reader, read, rows); err != nil {
			return err
		}
	}
	trail, err := o.audit.read(command.InOrStdin())
	if err != nil {
		return err
	}
	explained, err := read.explainAll(rows, trail, argument)
	if err != nil {
		return err
	}
	return o.form.print(command.OutOrStdout(), explained, func(out io.Writer) error {
		for i, each := range explained {
			if i > 0 {
				printf(out, "\n")
			}
			each.print(out)
		}
		return nil
	})
}

func (e *explanation) print(out io.Writer) {
	printf(out, "%s\n", e.Answer)
	for _, part := range []struct {
		title     string
		sentences []string
	}{{"Why", e.Because}, {"What would change it", e.Change}, {"What the audit trail says", e.History}} {
		if len(part.sentences) == 0 {
			continue
		}
		printf(out, "\n%s:\n", part.title)
		for _, sentence := range part.sentences {
			printf(out, "  - %s\n", sentence)
		}
	}
	printf(out, "\nAs of %s.\n", instant(&e.AsOf))
}

// explainAll answers for those whom the argument names. Of an address about which there is no resource, the audit trail may know.
func (r *roster) explainAll(rows []personRow, trail *auditTrail, argument string) ([]explanation, error) {
	var explained []explanation
	found, err := findPeople(rows, argument, r.namespace)
	for _, row := range found {
		each := r.explain(row)
		each.History = trail.historyOf(row.Namespace, row.Organization, row.UserName)
		explained = append(explained, each)
	}
	if err == nil {
		return explained, nil
	}
	for i := range r.organizations {
		name := r.organizations[i].Name
		if history := trail.historyOf(r.namespace, name, argument); len(history) > 0 {
			explained = append(explained, explanation{
				AsOf: r.asOf, Person: personRow{Namespace: r.namespace, Organization: name, UserName: argument},
				Answer:  fmt.Sprintf("No resource is about %s in organization %s.", argument, name),
				Because: []string{}, Change: []string{}, History: history,
			})
		}
	}
	if len(explained) == 0 {
		return nil, err
	}
	return explained, nil
}

// explain answers for one person.
func (r *roster) explain(row personRow) explanation {
	return explanation{
		AsOf: r.asOf, Person: row, Answer: row.answer(),
		Because: append(row.whySignIn(), row.whyRole(r.groups)...), Change: row.whatChanges(r.namespace),
	}
}

// answer says whether the person can sign in.
func (p *personRow) answer() string {
	who := fmt.Sprintf("%s in organization %s", p.UserName, p.Organization)
	switch {
	case p.isPendingDenial() && p.canSignIn():
		return fmt.Sprintf("%s is denied%s and can still sign in.", who, sinceText(p.DeniedAt))
	case p.isPendingDenial():
		return fmt.Sprintf("%s is denied%s and may still be able to sign in.", who, sinceText(p.DeniedAt))
	case p.canSignIn():
		return fmt.Sprintf("%s can sign in%s.", who, asRole(p.Role))
	case p.Active == nil && p.Denied:
		return who + " cannot sign in: the person has no account there, and none is created while a resource denies the person."
	case p.Active == nil:
		return who + " cannot sign in: the operator knows of no account."
	}
	return who + " cannot sign in: the account is off."
}

func sinceText(when *metav1.Time) string {
	if when.IsZero() {
		return ""
	}
	return " since " + instant(when)
}

func asRole(role string) string {
	if role == "" {
		return ""
	}
	return ", as " + role
}

// whySignIn says which resources let the person sign in or not, and why LambdaTest differs if it does.
func (p *personRow) whySignIn() []string {
	var sentences []string
	if p.Unclaimed {
		sentences = append(sentences, "No resource decides about this account, so the operator leaves it as it is: what was last set at LambdaTest is in force.")
	}
	for _, claim := range p.Claims {
		sentences = append(sentences, claim.sentence())
	}
	if p.Denied && len(p.Claims) > 1 && slices.ContainsFunc(p.Claims, func(claim claimRow) bool { return claim.Counts && !claim.Denies }) {
		sentences = append(sentences, "One denial is enough: it wins over all other resources.")
	}
	if p.OffAt != nil {
		sentences = append(sentences, fmt.Sprintf("The account was off at %s.", instant(p.OffAt)))
	}
	if !p.Ready && p.Message != "" {
		sentences = append(sentences, fmt.Sprintf("The operator says %s: %s", p.Reason, p.Message))
	}
	return sentences
}

// sentence says what one resource says.
func (c *claimRow) sentence() string {
	says := "says that the person may sign in"
	switch {
	case c.DeletedAt != nil:
		says = fmt.Sprintf("denies the person, because the identity provider deleted the person at %s", instant(c.DeletedAt))
	case c.Denies:
		says = "denies the person" + sinceText(c.DeniedAt)
	}
	if c.By != "" {
		says += ", written by " + c.By
	}
	if c.Why != "" {
		says += fmt.Sprintf(" (%q)", c.Why)
	}
	switch {
	case c.Deleting:
		says += "; it is being deleted"
	case c.Source == sourceImport:
		says = "only shows an account that was found at LambdaTest; it decides nothing"
	case !c.Counts:
		says += "; it only observes and decides nothing"
	}
	return fmt.Sprintf("%s (%s) %s.", c.Resource, c.Source, says)
}

// whyRole says which resource decides the role, and whom it overrules.
func (p *personRow) whyRole(groups []*v1alpha1.LambdaTestGroup) []string {
	if p.Unclaimed {
		return nil
	}
	if p.RoleBy == "" {
		if p.Role == "" {
			return nil
		}
		return []string{fmt.Sprintf("No resource decides the role: %s is the role that the account has at LambdaTest.", p.Role)}
	}
	sentences := []string{fmt.Sprintf("The role %s is from %s.", p.WantedRole, p.RoleBy+groupTitle(p.RoleBy, groups))}
	for _, claim := range p.Claims {
		if claim.Counts && claim.Resource != p.RoleBy && claim.Role != "" && claim.Role != p.WantedRole {
			sentences = append(sentences, fmt.Sprintf("%s (%s) says %s and is overruled.", claim.Resource, claim.Source, claim.Role))
		}
	}
	if p.Role != "" && p.Role != p.WantedRole {
		sentences = append(sentences, fmt.Sprintf("LambdaTest still has the role %s.", p.Role))
	}
	return sentences
}

// groupTitle is the displayName of a group, for a reference to one.
func groupTitle(reference string, groups []*v1alpha1.LambdaTestGroup) string {
	name, isGroup := strings.CutPrefix(reference, v1alpha1.GroupKind+"/")
	if !isGroup {
		return ""
	}
	for _, group := range groups {
		if group.Name == name {
			return fmt.Sprintf(" (%s)", group.Spec.DisplayName)
		}
	}
	return ""
}

// whatChanges says what would change the answer: for a person who cannot sign in what lets the person in, and the other way round.
func (p *personRow) whatChanges(namespace string) []string {
	command := func(name string) string {
		return fmt.Sprintf("kubectl lambdatest %s --organization %s -n %s", name, p.Organization, namespace)
	}
	deny := command(fmt.Sprintf("deny %s --reason REASON", p.UserName))
	switch {
	case heldReasons[p.Reason]:
		return []string{fmt.Sprintf("The guard holds this. To see all that is held and decide: %s", command("status"))}
	case p.isPendingDenial():
		return []string{"If it cannot wait, deactivate the person by hand at LambdaTest, under Users.", fmt.Sprintf("To let the person sign in again: %s", p.waysBack(command))}
	case p.Denied:
		return []string{fmt.Sprintf("To let the person sign in again: %s", p.waysBack(command))}
	case p.Unclaimed && p.canSignIn():
		export := "export " + p.UserName
		if len(p.Claims) == 0 {
			export = "export --from-lambdatest"
		}
		return []string{"To take access away: " + deny, "To manage the person in Git: " + command(export)}
	case p.Unclaimed:
		return []string{"To let the person sign in, declare the person in a LambdaTestUser, or assign the person at the identity provider."}
	case !p.Ready:
		return nil // the message says what to do
	}
	return []string{"To take access away: deactivate the person at the identity provider, set spec.active: false in the resource, or " + deny}
}

// waysBack says what would end each denial. All of them must end.
func (p *personRow) waysBack(command func(string) string) string {
	var ways []string
	for _, claim := range p.Claims {
		switch {
		case !claim.Counts || !claim.Denies:
		case claim.Source == sourceProvider && claim.DeletedAt != nil:
			ways = append(ways, "assign the person again at the identity provider")
		case claim.Source == sourceProvider:
			ways = append(ways, "reactivate the person at the identity provider")
		case claim.isByDeny():
			ways = append(ways, command("undeny "+p.UserName))
		default:
			ways = append(ways, "remove spec.active: false from "+claim.Resource+" where it is declared")
		}
	}
	if len(ways) == 0 {
		return "declare the person in a LambdaTestUser, or assign the person at the identity provider."
	}
	text := strings.Join(ways, "; and ")
	if !slices.ContainsFunc(p.Claims, func(claim claimRow) bool { return claim.Counts && !claim.Denies }) {
		return text + ". Where this deletes the only resource about the person, the account stays off until another one claims the person."
	}
	return text + "."
}

// isByDeny says that the command deny wrote the resource.
func (c *claimRow) isByDeny() bool {
	return c.Source == sourceDeclared && c.Denies && c.Why != ""
}

// heldReasons are the reasons of people whom the guard holds.
var heldReasons = map[string]bool{
	v1alpha1.DeprovisionHeldReason: true,
	v1alpha1.DemotionHeldReason:    true,
	v1alpha1.ActivationHeldReason:  true,
}
