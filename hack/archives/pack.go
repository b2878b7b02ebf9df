// Copyright 2026 The lambdatest-operator Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// entry is a file to pack. In the archive it has no folder.
type entry struct {
	file string
	mode fs.FileMode
}

func (e entry) name() string { return filepath.Base(e.file) }

// copyTo writes the content.
func (e entry) copyTo(out io.Writer) error {
	file, err := os.Open(e.file)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(out, file)
	return err
}

// packTar writes a tar.gz. It contains only names, modes, the date and the content: no user and no build time.
func packTar(out io.Writer, entries []entry, date time.Time) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	for _, e := range entries {
		info, err := os.Stat(e.file)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: e.name(), Mode: int64(e.mode), Size: info.Size(), ModTime: date, Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if err := e.copyTo(archive); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return compressed.Close()
}

// packZip writes the same files as a zip, for Windows.
func packZip(out io.Writer, entries []entry, date time.Time) error {
	archive := zip.NewWriter(out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name(), Method: zip.Deflate, Modified: date}
		header.SetMode(e.mode)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if err := e.copyTo(file); err != nil {
			return err
		}
	}
	return archive.Close()
}
