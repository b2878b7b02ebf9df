// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package simulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reading is one thing that LambdaTest's documents leave open, with the
// settings that they allow.
type Reading struct {
	Name string `json:"name"`
	// Decides says what the settings change.
	Decides string `json:"decides"`
	// Counts says which answers count as shaped by it, see Org.Answers.
	Counts string `json:"counts"`
	// Source says which document leaves it open, and how.
	Source string `json:"source"`
	// Settings has the default first.
	Settings []Setting `json:"settings"`
}

// Setting is one way to understand the documents.
type Setting struct {
	Name string `json:"name"`
	Does string `json:"does"`
}

// Settings are chosen settings by the name of their reading.
type Settings map[string]string

// Readings returns all readings, in the order of the documentation.
func Readings() []Reading {
	return slices.Clone(readings)
}

// Reads sets readings; those that are not named stay as they are. It panics on
// a name or a setting that does not exist: a test would pass for nothing.
func Reads(settings Settings) Option {
	return func(o *Org) {
		if err := o.setReadings(settings); err != nil {
			panic(fmt.Errorf("simulator: %w", err))
		}
	}
}

// SetReadings sets readings for calls that come later; those that are not named
// stay as they are. An unknown name or setting is an error that lists the valid
// ones, and then nothing is set.
func (o *Org) SetReadings(settings Settings) error {
	o.world.Lock()
	defer o.world.Unlock()
	return o.setReadings(settings)
}

// MustRead is SetReadings for tests: it panics where SetReadings fails.
func (o *Org) MustRead(settings Settings) {
	o.world.Lock()
	defer o.world.Unlock()
	Reads(settings)(o)
}

// ResetReadings sets every reading to its default, except for those named.
func (o *Org) ResetReadings(settings Settings) error {
	if err := settings.Check(); err != nil {
		return err
	}
	all := defaultSettings()
	maps.Copy(all, settings)
	return o.SetReadings(all)
}

// Settings returns the setting of every reading.
func (o *Org) Settings() Settings {
	o.world.Lock()
	defer o.world.Unlock()
	return maps.Clone(o.settings)
}

// Answers returns how many answers each setting shaped, by the name of the
// reading and of the setting. An answer counts for a setting when its call met
// what the reading is about; every reading and setting is in the result.
func (o *Org) Answers() map[string]map[string]int {
	o.world.Lock()
	defer o.world.Unlock()
	answers := make(map[string]map[string]int, len(readings))
	for _, reading := range readings {
		answers[reading.Name] = make(map[string]int, len(reading.Settings))
		for _, setting := range reading.Settings {
			answers[reading.Name][setting.Name] = o.answers[reading.Name][setting.Name]
		}
	}
	return answers
}

func defaultSettings() Settings {
	settings := make(Settings, len(readings))
	for _, reading := range readings {
		settings[reading.Name] = reading.Settings[0].Name
	}
	return settings
}

func (o *Org) setReadings(settings Settings) error {
	if err := settings.Check(); err != nil {
		return err
	}
	maps.Copy(o.settings, settings)
	return nil
}

// Check refuses names and settings that do not exist, and says which do.
func (s Settings) Check() error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		i := slices.IndexFunc(readings, func(r Reading) bool { return r.Name == name })
		if i < 0 {
			return invalidValue(fmt.Sprintf("there is no reading %q; the readings are %s", name, namesOf(readings, func(r Reading) string { return r.Name })))
		}
		names := namesOf(readings[i].Settings, func(s Setting) string { return s.Name })
		if !slices.Contains(strings.Split(names, ", "), s[name]) {
			return invalidValue(fmt.Sprintf("the reading %s has no setting %q; its settings are %s", name, s[name], names))
		}
	}
	return nil
}

func namesOf[T any](all []T, name func(T) string) string {
	names := make([]string, 0, len(all))
	for _, one := range all {
		names = append(names, name(one))
	}
	return strings.Join(names, ", ")
}

// meets returns the setting of a reading, and counts the answer of the call
// that is being carried out as shaped by it. It is called where Reading.Counts
// says.
func (o *Org) meets(reading string) string {
	if o.acting.met != nil {
		o.acting.met[reading] = true
	}
	return o.settings[reading]
}

// countAnswer counts the answer of a call for what the call met.
func (o *Org) countAnswer() {
	for reading := range o.acting.met {
		if o.answers[reading] == nil {
			o.answers[reading] = map[string]int{}
		}
		o.answers[reading][o.settings[reading]]++
	}
}
