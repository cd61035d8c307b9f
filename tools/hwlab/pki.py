"""A certificate authority for tests, made by openssl: good certificates and every kind of bad one."""

import os

from .proc import run

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
RSA = ["-newkey", "rsa:2048"]


class Authority:
    """A CA in a folder of its own. `issue` gives paths of a certificate and its key."""

    def __init__(self, folder, name="lab"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.key, self.certificate = f"{folder}/{name}-ca.key", f"{folder}/{name}-ca.pem"
        self._serial = 1000
        run(["openssl", "req", "-x509", *CURVE, "-nodes", "-keyout", self.key, "-out",
             self.certificate, "-subj", f"/CN={name} authority", "-days", "365"])

    def issue(self, stem, sans, days=365, common=None, rsa=False, more=()):
        """A certificate for names as in ("DNS:a.example", "URI:sip:a.example", "IP:192.0.2.1").

        more: further extensions, as openssl.cnf has them.
        """
        base = f"{self.folder}/{stem}"
        run(["openssl", "req", "-new", *(RSA if rsa else CURVE), "-nodes", "-keyout", f"{base}.key",
             "-out", f"{base}.csr", "-subj", f"/CN={common or stem}"])
        with open(f"{base}.ext", "w", encoding="utf-8") as out:
            out.write("basicConstraints=CA:FALSE\n")
            if sans:
                out.write(f"subjectAltName={','.join(sans)}\n")
            out.writelines(f"{line}\n" for line in more)
        self._serial += 1
        run(["openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", self.certificate, "-CAkey",
             self.key, "-set_serial", str(self._serial), "-days", str(days), "-extfile",
             f"{base}.ext", "-out", f"{base}.pem"])
        os.chmod(f"{base}.key", 0o600)
        return f"{base}.pem", f"{base}.key"

    def self_signed(self, stem, sans):
        """One that leads to no authority."""
        base = f"{self.folder}/{stem}"
        run(["openssl", "req", "-x509", *CURVE, "-nodes", "-keyout", f"{base}.key", "-out",
             f"{base}.pem", "-subj", f"/CN={stem}", "-days", "30", "-addext",
             f"subjectAltName={','.join(sans)}"])
        os.chmod(f"{base}.key", 0o600)
        return f"{base}.pem", f"{base}.key"

    def ocsp(self, stem):
        """A response that calls the certificate good; its path."""
        base = f"{self.folder}/{stem}"
        index = f"{self.folder}/index.txt"
        with open(index, "w", encoding="utf-8") as out:
            out.write(f"V\t350101000000Z\t\t{self._serial:X}\tunknown\t/CN={stem}\n")
        run(["openssl", "ocsp", "-index", index, "-CA", self.certificate, "-rsigner",
             self.certificate, "-rkey", self.key, "-issuer", self.certificate, "-cert",
             f"{base}.pem", "-ndays", "7", "-respout", f"{base}.ocsp"])
        return f"{base}.ocsp"
