// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

const headerTimeout = 10 * time.Second

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to listen on")
	file := flag.String("users", "", "JSON file with an array of SCIM users")
	flag.Parse()
	if err := run(*address, *file); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(address, file string) error {
	users, err := read(file)
	if err != nil {
		return err
	}
	handler, err := scim.NewServer(&scim.ServerArgs{
		ServiceProviderConfig: &scim.ServiceProviderConfig{},
		ResourceTypes: []scim.ResourceType{{
			Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), Handler: users,
		}},
	})
	if err != nil {
		return fmt.Errorf("making the server: %w", err)
	}
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: headerTimeout}
	return server.ListenAndServe()
}

// store are users in order, ready to be shown.
type store []scim.Resource

func read(file string) (store, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	var list []scim.ResourceAttributes
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("reading users: %w", err)
	}
	users := make(store, len(list))
	for i, attributes := range list {
		if users[i], err = resource(attributes); err != nil {
			return nil, fmt.Errorf("reading user %d: %w", i, err)
		}
	}
	return users, nil
}

// resource takes what the library adds by itself out of the attributes.
func resource(attributes scim.ResourceAttributes) (scim.Resource, error) {
	id, _ := attributes["id"].(string)
	externalID, _ := attributes["externalId"].(string)
	meta, _ := attributes["meta"].(map[string]any)
	version, _ := meta["version"].(string)
	created, err := moment(meta["created"])
	if err != nil {
		return scim.Resource{}, err
	}
	modified, err := moment(meta["lastModified"])
	if err != nil {
		return scim.Resource{}, err
	}
	for _, own := range []string{"id", "externalId", "meta", "schemas"} {
		delete(attributes, own)
	}
	return scim.Resource{
		ID:         id,
		ExternalID: optional.NewString(externalID),
		Attributes: attributes,
		Meta:       scim.Meta{Created: created, LastModified: modified, Version: version},
	}, nil
}

func moment(value any) (*time.Time, error) {
	text, _ := value.(string)
	t, err := time.Parse(time.RFC3339, text)
	return &t, err
}
