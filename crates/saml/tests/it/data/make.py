#!/usr/bin/env python3
"""Makes the signed responses beside this file, with xmlsec1 and signxml: others' canonical forms.

    pip install signxml lxml; apt-get install xmlsec1 openssl; ./make.py [FOLDER]

Each response has a certificate of the same name's key: `rsa.pem`, `p256.pem`, `p384.pem`. The private
keys are thrown away.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from lxml import etree
from signxml import XMLSigner, methods

DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ENC = "http://www.w3.org/2001/04/xmlenc#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"

ASSERTION = f"""<saml:Assertion xmlns:saml="{SAML}" xmlns:xs="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_a" IssueInstant="2026-11-25T12:00:00Z" \
Version="2.0"><saml:Issuer>https://idp.example.com/metadata</saml:Issuer>SIGNATURE<saml:Subject>\
<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice@example.com\
</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">\
<saml:SubjectConfirmationData NotOnOrAfter="2026-11-25T12:05:00.500Z" \
Recipient="https://signin.aws.amazon.com/saml"/></saml:SubjectConfirmation></saml:Subject>
  <saml:Conditions NotBefore="2026-11-25T11:55:00Z" NotOnOrAfter="2026-11-25T12:05:00Z">\
<saml:AudienceRestriction><saml:Audience>urn:amazon:webservices</saml:Audience>\
</saml:AudienceRestriction></saml:Conditions>
  <saml:AuthnStatement AuthnInstant="2026-11-25T12:00:00Z" \
SessionNotOnOrAfter="2026-11-25T20:00:00Z"/>
  <saml:AttributeStatement><saml:Attribute Name="team">\
<saml:AttributeValue xsi:type="xs:string">red</saml:AttributeValue>\
<saml:AttributeValue>blue</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>
</saml:Assertion>"""

# What canonical forms differ in: name spaces taken back and not used, order of attributes, line ends,
# characters by number, CDATA, instructions, comments.
NASTY = ASSERTION.replace("<saml:AttributeStatement>", """<!-- a comment --><?target  some data ?>
<Odd xmlns="" zeta='1' alpha = "tab&#9;line&#10;return&#13;quote&quot;less&lt;" xml:lang="en">
<inner xmlns="urn:inner"><again xmlns="">&#13;<![CDATA[<raw> & more]]>&gt;\u00e9\u4e2d\U0001f600</again\t>\
<same xmlns="urn:inner" xmlns:unused="urn:unused"/></inner>
<b:x xmlns:b="urn:b" xmlns:a="urn:a" b:one="1" a:two="2" a:one=' spaced   out '/>
<b:x xmlns:b="urn:c"><b:x xmlns:b="urn:b"/></b:x><?empty?></Odd><saml:AttributeStatement>""")


def response(assertion, signature="", extra=""):
    return f"""<samlp:Response xmlns:samlp="{SAMLP}" {extra}ID="_r" Version="2.0" \
IssueInstant="2026-11-25T12:00:00Z" Destination="https://signin.aws.amazon.com/saml">\
<saml:Issuer xmlns:saml="{SAML}">https://idp.example.com/metadata</saml:Issuer>{signature}\
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
{assertion}</samlp:Response>"""


def template(reference, method, digest, outer=EXC, inner=EXC, prefixes=""):
    listed = f'<ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{prefixes}"/>' if prefixes else ""
    return f"""<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod \
Algorithm="{outer}">{listed}</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{method}"/>
<ds:Reference URI="#{reference}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>\
<ds:Transform Algorithm="{inner}">{listed}</ds:Transform></ds:Transforms><!-- within -->\
<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>
<ds:SignatureValue/></ds:Signature>"""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def xmlsec(text, key, folder, node):
    """Signs the first template in what has the id `node`."""
    source, signed = Path(folder, "source.xml"), Path(folder, "signed.xml")
    source.write_text(text, encoding="utf-8", newline="")
    arguments = ["xmlsec1", "--sign", "--privkey-pem", key, "--output", signed]
    for name in [f"{SAML}:Assertion", f"{SAMLP}:Response"]:
        arguments += ["--id-attr:ID", name]
    where = f"//*[@ID='{node}']/*[local-name()='Signature']"
    subprocess.run([*arguments, "--node-xpath", where, source], check=True, capture_output=True)
    return signed.read_bytes()


def main(folder):
    with tempfile.TemporaryDirectory() as secret:
        keys = {}
        kinds = {"rsa": ["rsa:2048"], "p256": ["ec", "ec_paramgen_curve:P-256"],
                 "p384": ["ec", "ec_paramgen_curve:P-384"]}
        for name, (kind, *options) in kinds.items():
            keys[name] = Path(secret, name)
            openssl("req", "-x509", "-newkey", kind, *(["-pkeyopt", *options] if options else []),
                    "-nodes", "-subj", f"/CN={name}", "-days", "1", "-keyout", keys[name],
                    "-out", folder / f"{name}.pem")
        sha1, sha256, sha384, sha512 = DS + "sha1", ENC + "sha256", MORE + "sha384", ENC + "sha512"
        comments = EXC + "WithComments"
        by_xmlsec = {
            "rsa_sha1": (ASSERTION, DS + "rsa-sha1", sha1, {}),
            "rsa_sha256": (ASSERTION, MORE + "rsa-sha256", sha256, {}),
            "rsa_sha384": (ASSERTION, MORE + "rsa-sha384", sha384, {}),
            "rsa_sha512": (ASSERTION, MORE + "rsa-sha512", sha512, {}),
            "p256_sha256": (ASSERTION, MORE + "ecdsa-sha256", sha256, {}),
            "p384_sha384": (ASSERTION, MORE + "ecdsa-sha384", sha384, {}),
            "rsa_nasty": (NASTY, MORE + "rsa-sha256", sha256, {}),
            "rsa_comments": (
                NASTY, MORE + "rsa-sha256", sha256, {"outer": comments, "inner": comments}
            ),
            "rsa_prefixes": (
                NASTY, MORE + "rsa-sha256", sha256, {"prefixes": "xs outer #default none"}
            ),
            "rsa_inclusive": (
                ASSERTION, MORE + "rsa-sha256", sha256,
                {"outer": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
            ),
        }
        extra = 'xmlns="urn:default" xmlns:outer="urn:outer" '
        for name, (assertion, method, digest, how) in by_xmlsec.items():
            key = keys[name.split("_")[0]]
            signature = template("_a", method, digest, **how)
            text = response(assertion.replace("SIGNATURE", signature), extra=extra)
            (folder / f"{name}.xml").write_bytes(xmlsec(text, key, secret, "_a"))
        # The response alone, and both, the assertion first.
        signature = template("_r", MORE + "rsa-sha256", sha256)
        alone = response(NASTY.replace("SIGNATURE", ""), signature)
        (folder / "rsa_response.xml").write_bytes(xmlsec(alone, keys["rsa"], secret, "_r"))
        inner = template("_a", MORE + "rsa-sha256", sha256)
        both = response(ASSERTION.replace("SIGNATURE", inner), signature)
        half = xmlsec(both, keys["rsa"], secret, "_a").decode()
        (folder / "rsa_both.xml").write_bytes(xmlsec(half, keys["rsa"], secret, "_r"))
        # Another hand, which writes its signature last.
        signer = XMLSigner(method=methods.enveloped, signature_algorithm="rsa-sha256",
                           digest_algorithm="sha256", c14n_algorithm=EXC)
        root = etree.fromstring(NASTY.replace("SIGNATURE", ""))
        signed = signer.sign(root, key=keys["rsa"].read_bytes(), reference_uri="_a",
                             cert=(folder / "rsa.pem").read_bytes())
        text = response(etree.tostring(signed, encoding="unicode"))
        (folder / "rsa_signxml.xml").write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
