// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/cel/environment"
)

// policy is a ValidatingAdmissionPolicy whose binding denies. The library of kube-apiserver evaluates it. Parameters, selectors, match
// policies, audit annotations and warnings are not supported.
type policy struct {
	name, binding string
	rules         []admissionregistrationv1.NamedRuleWithOperations
	validator     validating.Validator
	mayDo         mayDo
}

// mayDo is an authorizer that only allows or denies.
type mayDo func(user, verb string, resource schema.GroupResource, namespace, name string) bool

// Authorize implements authorizer.UnconditionalAuthorizer.
func (m mayDo) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	resource := schema.GroupResource{Group: a.GetAPIGroup(), Resource: a.GetResource()}
	if m == nil || m(a.GetUser().GetName(), a.GetVerb(), resource, a.GetNamespace(), a.GetName()) {
		return authorizer.DecisionAllow, "", nil
	}
	return authorizer.DecisionDeny, "", nil
}

// readPolicies reads policies and their bindings.
func readPolicies(file string, mayDo mayDo) ([]policy, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading admission policies: %w", err)
	}
	definitions := map[string]*admissionregistrationv1.ValidatingAdmissionPolicy{}
	policies := []policy{}
	for documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content)); ; {
		document := runtime.RawExtension{}
		if err := documents.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("decoding %s: %w", file, err)
		}
		definition, binding := &admissionregistrationv1.ValidatingAdmissionPolicy{}, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{}
		if err := errors.Join(yaml.Unmarshal(document.Raw, definition), yaml.Unmarshal(document.Raw, binding)); err != nil {
			return nil, fmt.Errorf("decoding %s: %w", file, err)
		}
		if definition.Kind == "ValidatingAdmissionPolicy" {
			definitions[definition.Name] = definition
			continue
		}
		bound := definitions[binding.Spec.PolicyName]
		if bound == nil {
			return nil, fmt.Errorf("in %s, the binding %s is not behind its policy", file, binding.Name)
		}
		compiled, err := compilePolicy(bound, binding.Name, mayDo)
		if err != nil {
			return nil, err
		}
		policies = append(policies, compiled)
	}
	return policies, nil
}

func compilePolicy(definition *admissionregistrationv1.ValidatingAdmissionPolicy, binding string, mayDo mayDo) (policy, error) {
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		return policy{}, fmt.Errorf("compiling %s: %w", definition.Name, err)
	}
	spec, allowed := definition.Spec, cel.OptionalVariableDeclarations{HasAuthorizer: true}
	variables := make([]cel.NamedExpressionAccessor, len(spec.Variables))
	for i, v := range spec.Variables {
		variables[i] = &validating.Variable{Name: v.Name, Expression: v.Expression}
	}
	compiler.CompileAndStoreVariables(variables, allowed, environment.StoredExpressions)
	conditions := make([]cel.ExpressionAccessor, len(spec.MatchConditions))
	for i := range spec.MatchConditions {
		conditions[i] = (*matchconditions.MatchCondition)(&spec.MatchConditions[i])
	}
	validations := make([]cel.ExpressionAccessor, len(spec.Validations))
	messages := make([]cel.ExpressionAccessor, len(spec.Validations))
	for i, v := range spec.Validations {
		validations[i] = &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason}
		if v.MessageExpression != "" {
			messages[i] = &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression}
		}
	}
	compile := func(expressions []cel.ExpressionAccessor) cel.ConditionEvaluator {
		return compiler.CompileCondition(expressions, allowed, environment.StoredExpressions)
	}
	evaluators := []cel.ConditionEvaluator{compile(validations), compile(conditions), compile(nil), compile(messages)}
	for _, evaluator := range evaluators {
		if err := errors.Join(evaluator.CompilationErrors()...); err != nil {
			return policy{}, fmt.Errorf("compiling %s: %w", definition.Name, err)
		}
	}
	matcher := matchconditions.NewMatcher(evaluators[1], spec.FailurePolicy, "policy", "validate", definition.Name)
	return policy{
		name: definition.Name, binding: binding, rules: spec.MatchConstraints.ResourceRules, mayDo: mayDo,
		validator: validating.NewValidator(evaluators[0], matcher, evaluators[2], evaluators[3], spec.FailurePolicy, nil),
	}, nil
}

// enforce asks the policies whether a write may happen; old is nil if it creates the object.
func (s *Server) enforce(in intent, name string, o, old object) error {
	operation := admission.Create
	if old != nil {
		operation = admission.Update
	}
	for _, p := range s.policies {
		if !p.covers(in.kind, in.subresource, operation) {
			continue
		}
		attributes := &admission.VersionedAttributes{VersionedKind: in.kind.gvk()}
		var before runtime.Object
		if old != nil {
			before = meta(old)
			attributes.VersionedOldObject.Set(before)
		}
		attributes.VersionedObject.Set(meta(o))
		attributes.Attributes = admission.NewAttributesRecord(meta(o), before, in.kind.gvk(), in.namespace, name, in.kind.GroupVersionResource,
			in.subresource, operation, nil, in.dryRun, &user.DefaultInfo{Name: in.user})
		result := p.validator.Validate(context.Background(), in.kind.GroupVersionResource, attributes, nil, nil, celconfig.RuntimeCELCostBudget, p.mayDo)
		for _, decision := range result.Decisions {
			if decision.Action == validating.ActionDeny {
				return p.denial(in, name, decision)
			}
		}
	}
	return nil
}

func (p policy) denial(in intent, name string, decision validating.PolicyDecision) error {
	message := fmt.Sprintf("ValidatingAdmissionPolicy '%s' with binding '%s' denied request: %s", p.name, p.binding, decision.Message)
	err := apierrors.NewForbidden(in.kind.group(), name, errors.New(message))
	if err.ErrStatus.Reason = decision.Reason; decision.Reason != metav1.StatusReasonForbidden {
		err.ErrStatus.Reason, err.ErrStatus.Code = metav1.StatusReasonInvalid, http.StatusUnprocessableEntity
	}
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Message: message})
	return err
}

func (p policy) covers(k *kind, subresource string, operation admission.Operation) bool {
	resource := k.Resource
	if subresource != "" {
		resource += "/" + subresource
	}
	has := func(names []string, name string) bool {
		return slices.Contains(names, name) || slices.Contains(names, "*")
	}
	for _, rule := range p.rules {
		operations := []string{}
		for _, o := range rule.Operations {
			operations = append(operations, strings.ToUpper(string(o)))
		}
		if has(rule.APIGroups, k.Group) && has(rule.APIVersions, k.Version) && has(operations, string(operation)) && has(rule.Resources, resource) {
			return true
		}
	}
	return false
}
