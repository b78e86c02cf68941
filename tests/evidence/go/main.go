// Command evidence checks a log and a certificate with libraries that nobody of this project wrote: notes and trees by
// golang.org/x/mod, envelopes by go-securesystemslib, ML-DSA-44 by circl.
//
//	evidence LOG ENVELOPE PROOF
//
// It prints one line of JSON: what it found, and proofs of its own making for the caller to compare.
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type found struct {
	Size        int64      `json:"size"`
	Root        string     `json:"root"`
	Time        uint64     `json:"time"`
	Inclusion   [][]string `json:"inclusion"`
	Consistency [][]string `json:"consistency"`
	Payload     []byte     `json:"payload"`
}

type key struct {
	name, id string
	kind     byte
	public   []byte
}

// tiles reads the log's files as x/mod asks for them. Its paths name the height, those of tlog-tiles do not.
type tiles string

func (folder tiles) Height() int { return height }

func (folder tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var contents [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		content, err := os.ReadFile(filepath.Join(string(folder), path))
		if err != nil {
			full := tile
			full.W = 1 << height
			path = strings.Replace(full.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
			if content, err = os.ReadFile(filepath.Join(string(folder), path)); err != nil {
				return nil, err
			}
			content = content[:tile.W*tlog.HashSize]
		}
		contents = append(contents, content)
	}
	return contents, nil
}

// entries returns every entry of the bundles, in order.
func entries(folder string, size int64) [][]byte {
	var all [][]byte
	for int64(len(all)) < size {
		tile := tlog.Tile{H: height, L: -1, N: int64(len(all)) >> height, W: int(min(size-int64(len(all)), 1<<height))}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
		bundle := must(os.ReadFile(filepath.Join(folder, path)))
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	return all
}

func main() {
	folder, keys := os.Args[1], readKeys(os.Args[1])
	var result found

	// The checkpoint: Ed25519 by x/mod, ML-DSA-44 by circl over the structure of tlog-cosignature.
	verifier := must(note.NewVerifier(keys[0].text()))
	checkpoint := must(os.ReadFile(filepath.Join(folder, "checkpoint")))
	opened := must(note.Open(checkpoint, note.VerifierList(verifier)))
	tree := readTree(opened.Text, verifier.Name())
	result.Size, result.Root = tree.N, tree.Hash.String()
	result.Time = cosigned(opened, keys[1], tree)

	// The tree: every entry against tiles that are checked up to the signed root; then proofs made from those tiles.
	reader := tlog.TileHashReader(tree, tiles(folder))
	all := entries(folder, tree.N)
	for i, entry := range all {
		hashes := must(reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))}))
		if hashes[0] != tlog.RecordHash(entry) {
			panic(fmt.Sprintf("entry %d is not what its tile says", i))
		}
	}
	for i := int64(0); i < tree.N; i++ {
		proof := must(tlog.ProveRecord(tree.N, i, reader))
		result.Inclusion = append(result.Inclusion, texts(proof))
		result.Consistency = append(result.Consistency, texts(must(tlog.ProveTree(tree.N, i+1, reader))))
	}

	// The certificate: the envelope by go-securesystemslib, then its proof by x/mod.
	envelope := must(os.ReadFile(os.Args[2]))
	result.Payload = openEnvelope(envelope, keys)
	checkProof(must(os.ReadFile(os.Args[3])), envelope, verifier)
	must(os.Stdout.Write(append(must(json.Marshal(result)), '\n')))
}

func readKeys(folder string) []key {
	var keys []key
	for _, line := range strings.Split(strings.TrimSpace(string(must(os.ReadFile(filepath.Join(folder, "vkey"))))), "\n") {
		parts := strings.SplitN(line, "+", 3)
		content := must(base64.StdEncoding.DecodeString(parts[2]))
		keys = append(keys, key{name: parts[0], id: parts[1], kind: content[0], public: content[1:]})
	}
	return keys
}

func (k key) text() string {
	content := base64.StdEncoding.EncodeToString(append([]byte{k.kind}, k.public...))
	return k.name + "+" + k.id + "+" + content
}

func readTree(text, origin string) tlog.Tree {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin {
		panic("this is not a checkpoint of that log")
	}
	return tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64)), Hash: must(tlog.ParseHash(lines[2]))}
}

func cosigned(opened *note.Note, signer key, tree tlog.Tree) uint64 {
	for _, line := range opened.UnverifiedSigs {
		if line.Name != signer.name || fmt.Sprintf("%08x", line.Hash) != signer.id {
			continue
		}
		content := must(base64.StdEncoding.DecodeString(line.Base64))[4:]
		var message bytes.Buffer
		message.WriteString("subtree/v1\n\x00")
		message.WriteString(string([]byte{byte(len(signer.name))}) + signer.name)
		message.Write(content[:8])
		message.WriteString(string([]byte{byte(len(signer.name))}) + signer.name)
		message.Write(make([]byte, 8))
		message.Write(binary.BigEndian.AppendUint64(nil, uint64(tree.N)))
		message.Write(tree.Hash[:])
		if !verifiesMLDSA(signer.public, message.Bytes(), content[8:]) {
			panic("the ML-DSA-44 signature of the checkpoint does not hold")
		}
		return binary.BigEndian.Uint64(content)
	}
	panic("the checkpoint has no ML-DSA-44 signature")
}

func verifiesMLDSA(public, message, signature []byte) bool {
	var loaded mldsa44.PublicKey
	if err := loaded.UnmarshalBinary(public); err != nil {
		panic(err)
	}
	return mldsa44.Verify(&loaded, message, nil, signature)
}

// dsseKey lets go-securesystemslib verify with one of the log's keys.
type dsseKey struct{ key }

func (k dsseKey) KeyID() (string, error)   { return k.name + "+" + k.id, nil }
func (k dsseKey) Public() crypto.PublicKey { return k.public }
func (k dsseKey) Verify(_ context.Context, data, signature []byte) error {
	held := k.kind == 1 && ed25519.Verify(k.public, data, signature)
	if held || k.kind == 6 && verifiesMLDSA(k.public, data, signature) {
		return nil
	}
	return fmt.Errorf("the signature by %s does not hold", k.id)
}

func openEnvelope(content []byte, keys []key) []byte {
	var envelope dsse.Envelope
	if err := json.Unmarshal(content, &envelope); err != nil {
		panic(err)
	}
	verifier := must(dsse.NewMultiEnvelopeVerifier(len(keys), dsseKey{keys[0]}, dsseKey{keys[1]}))
	must(verifier.Verify(context.Background(), &envelope))
	return must(envelope.DecodeB64Payload())
}

func checkProof(content, envelope []byte, verifier note.Verifier) {
	head, checkpoint, _ := strings.Cut(string(content), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		panic("this is not a tlog-proof")
	}
	extra := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	if !strings.Contains(string(extra[16:]), fmt.Sprintf("%x", sha256.Sum256(envelope))) {
		panic("the logged entry does not name the envelope")
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		proof = append(proof, must(tlog.ParseHash(line)))
	}
	tree := readTree(must(note.Open([]byte(checkpoint), note.VerifierList(verifier))).Text, verifier.Name())
	index := must(strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64))
	entry := sha256.Sum256(extra)
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry[:])); err != nil {
		panic(err)
	}
}

func texts(hashes []tlog.Hash) []string {
	made := []string{}
	for _, hash := range hashes {
		made = append(made, hash.String())
	}
	return made
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
