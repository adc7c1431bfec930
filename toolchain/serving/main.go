// Makes a certificate with which a process serves the names of a Service, valid for ten years:
//
//	mesh-serving AUTHORITY FOLDER NAME...
//
// AUTHORITY is the folder with ca.crt and ca.key that mesh-certificates has made. tls.crt and tls.key are written to
// FOLDER, which exists.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const lifetime = 10 * 365 * 24 * time.Hour

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("usage: mesh-serving AUTHORITY FOLDER NAME..."))
	}
	if err := issue(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mesh-serving:", err)
	os.Exit(1)
}

func issue(authority, folder string, names []string) error {
	root, err := read(filepath.Join(authority, "ca.crt"), x509.ParseCertificate)
	if err != nil {
		return err
	}
	signer, err := read(filepath.Join(authority, "ca.key"), x509.ParseECPrivateKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "mesh-sandbox-istiod"},
		DNSNames:     names,
		// A clock that was set back a little must not make a new certificate invalid.
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(lifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, root, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(folder, "tls.key"), "EC PRIVATE KEY", private); err != nil {
		return err
	}
	return write(filepath.Join(folder, "tls.crt"), "CERTIFICATE", der)
}

// read parses the first block of a PEM file.
func read[T any](file string, parse func([]byte) (*T, error)) (*T, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", file)
	}
	return parse(block.Bytes)
}

func write(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
