// A judge of receipts, proofs and tiles, made of golang.org/x/mod/sumdb/{note,tlog} and the standard library.
//
// One question a line on standard input, one answer a line: 1 it holds, 0 it does not.
//
//	I index size leafhash root hash...      an inclusion proof (hexadecimal)
//	C size1 size2 root1 root2 hash...       a consistency proof
//	R vkey json                             a receipt bundle (base64)
//	T vkey directory                        a directory of tiles with its checkpoint
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type receipt struct {
	Leaf       []byte   `json:"leaf"`
	Index      int64    `json:"index"`
	Path       [][]byte `json:"path"`
	Checkpoint string   `json:"checkpoint"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		if err := judge(strings.Fields(in.Text())); err != nil {
			fmt.Fprintln(out, "0")
		} else {
			fmt.Fprintln(out, "1")
		}
		if in.Text()[0] == 'T' {
			out.Flush()
		}
	}
}

func judge(words []string) error {
	switch words[0] {
	case "I":
		index, size, err := numbers(words[1], words[2])
		if err != nil {
			return err
		}
		all, err := hashes(words[3:])
		if err != nil {
			return err
		}
		return tlog.CheckRecord(all[2:], size, all[1], index, all[0])
	case "C":
		first, second, err := numbers(words[1], words[2])
		if err != nil {
			return err
		}
		all, err := hashes(words[3:])
		if err != nil {
			return err
		}
		return tlog.CheckTree(all[2:], second, all[1], first, all[0])
	case "R":
		return checkReceipt(words[1], words[2])
	case "T":
		return checkTiles(words[1], words[2])
	}
	return errors.New("no such question")
}

func open(vkey, text string) (int64, tlog.Hash, error) {
	var root tlog.Hash
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, root, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return 0, root, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return 0, root, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, root, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(raw) != len(root) {
		return 0, root, errors.New("not a root")
	}
	copy(root[:], raw)
	return size, root, nil
}

func checkReceipt(vkey, encoded string) error {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	var given receipt
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	size, root, err := open(vkey, given.Checkpoint)
	if err != nil {
		return err
	}
	proof := make(tlog.RecordProof, len(given.Path))
	for at, raw := range given.Path {
		if len(raw) != len(root) {
			return errors.New("not a hash")
		}
		copy(proof[at][:], raw)
	}
	return tlog.CheckRecord(proof, size, root, given.Index, tlog.RecordHash(given.Leaf))
}

type directory string

func (d directory) Height() int                           { return 8 }
func (d directory) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for at, tile := range tiles {
		// The paths of C2SP leave the height out.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			return nil, err
		}
		found[at] = data
	}
	return found, nil
}

// checkTiles reads every hash through tlog's own authenticating reader, and every entry of the bundles against it.
func checkTiles(vkey, where string) error {
	text, err := os.ReadFile(filepath.Join(where, "checkpoint"))
	if err != nil {
		return err
	}
	size, root, err := open(vkey, string(text))
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, directory(where))
	indexes := make([]int64, size)
	for at := range indexes {
		indexes[at] = tlog.StoredHashIndex(0, int64(at))
	}
	read, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for start := int64(0); start < size; start += 256 {
		width := size - start
		path := fmt.Sprintf("tile/entries/%03d", start/256)
		if width < 256 {
			path += fmt.Sprintf(".p/%d", width)
		} else {
			width = 256
		}
		bundle, err := os.ReadFile(filepath.Join(where, path))
		if err != nil {
			return err
		}
		for at := start; at < start+width; at++ {
			if len(bundle) < 2 {
				return errors.New("the bundle is too short")
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length {
				return errors.New("the bundle breaks off")
			}
			if tlog.RecordHash(bundle[2:2+length]) != read[at] {
				return errors.New("another entry")
			}
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			return errors.New("the bundle is too long")
		}
	}
	// The upper levels are read when proofs need them: one proof through each tile.
	for at := int64(0); at < size; at += 128 {
		proof, err := tlog.ProveRecord(size, at, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, size, root, at, read[at]); err != nil {
			return err
		}
	}
	return nil
}

func numbers(one, two string) (int64, int64, error) {
	first, err := strconv.ParseInt(one, 10, 64)
	if err != nil {
		return 0, 0, err
	}
	second, err := strconv.ParseInt(two, 10, 64)
	return first, second, err
}

func hashes(words []string) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(words))
	for at, word := range words {
		raw, err := hex.DecodeString(word)
		if err != nil || len(raw) != len(found[at]) {
			return nil, errors.New("not a hash")
		}
		copy(found[at][:], raw)
	}
	return found, nil
}
