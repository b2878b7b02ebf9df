// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const (
	eventsGroup = "events.k8s.io"
	// eventLifetime is kube-apiserver's default.
	eventLifetime = time.Hour
	// Limits of the new API.
	maxEventName, maxEventNote = 128, 1024
)

// eventNames are the fields of an Event that have other names in the API of before, by which Events are stored.
var eventNames = map[string]string{
	"regarding":                "involvedObject",
	"note":                     "message",
	"reportingController":      "reportingComponent",
	"deprecatedSource":         "source",
	"deprecatedFirstTimestamp": "firstTimestamp",
	"deprecatedLastTimestamp":  "lastTimestamp",
	"deprecatedCount":          "count",
}

func coreEvents() *typed {
	return &typed{
		fresh:      func() runtime.Object { return &corev1.Event{} },
		namespaced: true,
		constant:   traits{createOnUpdate: true, unconditionalUpdate: true, selectors: eventSelectors},
		validate: func(o, _ runtime.Object, _ string) field.ErrorList {
			return validateAnyEvent(o.(*corev1.Event), "reportingComponent")
		},
		fields: eventFields,
	}
}

// newEvents are Events of events.k8s.io, stored in the form of the core group.
type newEvents struct{ *typed }

func events() *newEvents {
	stored := coreEvents()
	stored.validate = validateEvent
	return &newEvents{typed: stored}
}

func (e *newEvents) traits() traits {
	constant := e.typed.traits()
	constant.strategic, constant.empty = &eventsv1.Event{}, renamed(constant.empty, coreNames)
	return constant
}

func (e *newEvents) read(o object) ([]string, error) {
	form := typed{fresh: func() runtime.Object { return &eventsv1.Event{} }}
	unknown, err := form.read(o)
	if err != nil {
		return nil, err
	}
	converted := renamed(o, eventNames)
	clear(o)
	maps.Copy(o, converted)
	o["apiVersion"] = "v1"
	_, err = e.typed.read(o)
	return unknown, err
}

// coreNames is eventNames the other way round.
var coreNames = func() map[string]string {
	reverse := map[string]string{}
	for name, core := range eventNames {
		reverse[core] = name
	}
	return reverse
}()

func renamed(o object, names map[string]string) object {
	result := make(object, len(o))
	for key, value := range o {
		if name, ok := names[key]; ok {
			key = name
		}
		result[key] = value
	}
	return result
}

// eventView is a stored Event as events.k8s.io shows it, without apiVersion and kind.
func eventView(o object) []byte {
	view := renamed(o, coreNames)
	delete(view, "apiVersion")
	delete(view, "kind")
	body, err := json.Marshal(view)
	if err != nil {
		panic(err) // it was encoded when it was stored
	}
	return body
}

func validateEvent(o, old runtime.Object, _ string) field.ErrorList {
	event := o.(*corev1.Event)
	errs := validateAnyEvent(event, "reportingController")
	before, isUpdate := old.(*corev1.Event)
	if isUpdate {
		return append(errs, validateEventUpdate(event, before)...)
	}
	errs = append(errs, apivalidation.ValidateObjectMeta(&event.ObjectMeta, true, apivalidation.NameIsDNSSubdomain, field.NewPath("metadata"))...)
	errs = append(errs, validateSeries(event)...)
	if event.EventTime.IsZero() {
		errs = append(errs, field.Required(field.NewPath("eventTime"), ""))
	}
	if event.Type != corev1.EventTypeNormal && event.Type != corev1.EventTypeWarning {
		errs = append(errs, field.Invalid(field.NewPath("type"), event.Type, "must be Normal or Warning"))
	}
	for name, isSet := range map[string]bool{
		"firstTimestamp": !event.FirstTimestamp.IsZero(),
		"lastTimestamp":  !event.LastTimestamp.IsZero(),
		"count":          event.Count != 0,
		"source":         event.Source != corev1.EventSource{},
	} {
		if isSet {
			errs = append(errs, field.Invalid(field.NewPath(name), "", "needs to be unset"))
		}
	}
	return errs
}

// validateEventUpdate: only the series and metadata of an Event may change.
func validateEventUpdate(event, before *corev1.Event) (errs field.ErrorList) {
	if !reflect.DeepEqual(event.Series, before.Series) {
		errs = validateSeries(event)
	}
	for _, fixed := range []struct {
		name     string
		now, was any
	}{
		{"involvedObject", event.InvolvedObject, before.InvolvedObject},
		{"reason", event.Reason, before.Reason},
		{"message", event.Message, before.Message},
		{"source", event.Source, before.Source},
		{"firstTimestamp", event.FirstTimestamp, before.FirstTimestamp},
		{"lastTimestamp", event.LastTimestamp, before.LastTimestamp},
		{"count", event.Count, before.Count},
		{"type", event.Type, before.Type},
		{"eventTime", event.EventTime, before.EventTime},
		{"action", event.Action, before.Action},
		{"related", event.Related, before.Related},
		{"reportingController", event.ReportingController, before.ReportingController},
		{"reportingInstance", event.ReportingInstance, before.ReportingInstance},
	} {
		errs = append(errs, apivalidation.ValidateImmutableField(fixed.now, fixed.was, field.NewPath(fixed.name))...)
	}
	return errs
}

func validateSeries(event *corev1.Event) (errs field.ErrorList) {
	if event.Series == nil {
		return nil
	}
	if event.Series.Count < 2 {
		errs = append(errs, field.Invalid(field.NewPath("series.count"), event.Series.Count, "should be at least 2"))
	}
	if event.Series.LastObservedTime.IsZero() {
		errs = append(errs, field.Required(field.NewPath("series.lastObservedTime"), ""))
	}
	return errs
}

// validateAnyEvent is what both APIs check.
func validateAnyEvent(event *corev1.Event, controller string) (errs field.ErrorList) {
	about, path := event.InvolvedObject.Namespace, field.NewPath("involvedObject", "namespace")
	isDefault := event.Namespace == "default"
	if event.EventTime.IsZero() {
		if about != event.Namespace && (about != "" || !isDefault) {
			errs = append(errs, field.Invalid(path, about, "does not match event.namespace"))
		}
		return errs
	}
	if about == "" && !isDefault && event.Namespace != "kube-system" {
		errs = append(errs, field.Invalid(path, about, "does not match event.namespace"))
	}
	for _, message := range validation.IsQualifiedName(event.ReportingController) {
		errs = append(errs, field.Invalid(field.NewPath(controller), event.ReportingController, message))
	}
	for _, limited := range []struct {
		name, value string
		required    bool
		limit       int
	}{
		{controller, event.ReportingController, true, maxEventNote},
		{"reportingInstance", event.ReportingInstance, true, maxEventName},
		{"action", event.Action, true, maxEventName},
		{"reason", event.Reason, true, maxEventName},
		{"message", event.Message, false, maxEventNote},
	} {
		if limited.required && limited.value == "" {
			errs = append(errs, field.Required(field.NewPath(limited.name), ""))
		}
		if len(limited.value) > limited.limit {
			errs = append(errs, field.Invalid(field.NewPath(limited.name), "", "is too long"))
		}
	}
	return errs
}

var eventSelectors = []string{"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "reason", "type"}

func eventFields(o object) fields.Set {
	about, _ := o["involvedObject"].(object)
	set := fields.Set{}
	for _, name := range []string{"kind", "namespace", "name", "uid"} {
		set["involvedObject."+name], _ = about[name].(string)
	}
	set["reason"], _ = o["reason"].(string)
	set["type"], _ = o["type"].(string)
	return set
}

// expiring remembers when an Event ends.
type expiring struct {
	key string
	at  time.Time
}

// expireEvents removes the Events whose hour is over, when the next Event is written.
func (s *Server) expireEvents(t *table, now time.Time) {
	for len(s.expiring) > 0 && !s.expiring[0].at.After(now) {
		next := s.expiring[0]
		s.expiring = s.expiring[1:]
		// An Event that was written again has another entry.
		if stored := t.versions[next.key]; stored != nil && !s.expiries[next.key].After(now) {
			delete(s.expiries, next.key)
			_, _ = s.store.commit(t, stored, next.key, nil, false, Write{Verb: "expire", Key: s.keyOf(t, stored)}) // a removal cannot fail
		}
	}
}

func (s *Server) rememberEvent(key string, now time.Time) {
	at := now.Add(eventLifetime)
	s.expiries[key] = at
	s.expiring = append(s.expiring, expiring{key: key, at: at})
}
