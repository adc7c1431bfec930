// Makes the certificates and keys of the embedded Kubernetes, valid for ten years:
//
//	mesh-certificates FOLDER IP...
//
// The server certificate is valid for the API server's usual names and for the given addresses. The
// client certificate is a cluster administrator's (group system:masters). FOLDER appears only when complete.
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
	"net"
	"os"
	"path/filepath"
	"time"
)

const lifetime = 10 * 365 * 24 * time.Hour

// An authority signs certificates; its own is the root that clients trust.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: mesh-certificates FOLDER IP..."))
	}
	addresses := []net.IP{}
	for _, text := range os.Args[2:] {
		ip := net.ParseIP(text)
		if ip == nil {
			fail(fmt.Errorf("%q is no IP address", text))
		}
		addresses = append(addresses, ip)
	}
	if err := makeAll(os.Args[1], addresses); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mesh-certificates:", err)
	os.Exit(1)
}

func makeAll(folder string, addresses []net.IP) error {
	work, err := os.MkdirTemp(filepath.Dir(folder), ".certificates-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	root := authority{}
	if err := root.issue(work, "ca", &x509.Certificate{
		Subject:               pkix.Name{CommonName: "mesh sandbox"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}); err != nil {
		return err
	}
	// etcd presents its server certificate to itself as a client, hence both usages.
	if err := root.issue(work, "server", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "mesh-sandbox-server"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local"},
		IPAddresses: addresses,
	}); err != nil {
		return err
	}
	if err := root.issue(work, "client", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "mesh-dev", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return err
	}
	if err := serviceAccountKeys(work); err != nil {
		return err
	}
	return os.Rename(work, folder)
}

// issue writes NAME.crt and NAME.key. The first certificate that an authority issues is its own.
func (a *authority) issue(folder, name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return err
	}
	// A clock that was set back a little must not make a new certificate invalid.
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(lifetime)
	if !template.IsCA {
		template.KeyUsage = x509.KeyUsageDigitalSignature
	} else {
		a.certificate, a.key = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return err
	}
	if err := write(folder, name+".crt", "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(folder, name+".key", key)
}

// serviceAccountKeys writes the pair that signs and checks service account tokens.
func serviceAccountKeys(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := write(folder, "service-accounts.pub", "PUBLIC KEY", public); err != nil {
		return err
	}
	return writeKey(folder, "service-accounts.key", key)
}

func writeKey(folder, name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return write(folder, name, "EC PRIVATE KEY", der)
}

func write(folder, name, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return os.WriteFile(filepath.Join(folder, name), text, 0o600)
}
