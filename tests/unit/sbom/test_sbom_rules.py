"""Which packages a rule means, in the order of versions of their own type."""

from __future__ import annotations

import subprocess
import sys

import pytest

from promote.model.malformed import Malformed
from promote.model.package_rule import Bound, PackageRule
from promote.sbom.package import Package
from promote.sbom.rule import Answer, Listing
from promote.sbom.version_order import compare

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.NOT_COMPARABLE
LOG4J = "pkg:maven/org.apache.logging.log4j/log4j-core"


def answer(rule: str, package: Package) -> Answer:
    found = list(Listing.of([package]).matches(PackageRule.parse(rule)))
    return found[0].answer if found else NO


def purl(text: str, version: str | None = None) -> Package:
    return Package("x", version, (text,))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"{LOG4J}@<2.17.1", ("maven", "org.apache.logging.log4j", "log4j-core", (Bound("<", "2.17.1"),), ())),
        ("pkg:npm/@angular/core@>=1.0,<2", ("npm", "@angular", "core", (Bound(">=", "1.0"), Bound("<", "2")), ())),
        ("pkg:npm/%40angular/core", ("npm", "@angular", "core", (), ())),
        ("pkg:npm/@angular/core", ("npm", "@angular", "core", (), ())),
        ("pkg:NPM/a@1", ("npm", "", "a", (Bound("=", "1"),), ())),
        (
            "pkg:deb/debian/a@!=1%3A2?arch=amd64&distro=bookworm",
            ("deb", "debian", "a", (Bound("!=", "1:2"),), (("arch", "amd64"), ("distro", "bookworm"))),
        ),
        ("pkg:golang/github.com/a/b@v1", ("golang", "github.com/a", "b", (Bound("=", "v1"),), ())),
    ],
)
def test_a_rule_is_a_package_url_with_a_range(text, parts):
    rule = PackageRule.parse(text)
    assert (rule.type, rule.namespace, rule.name, rule.bounds, rule.qualifiers) == parts
    assert str(rule) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "npm/a",
        "pkg:",
        "pkg:npm",
        "pkg:npm/",
        "pkg:npm//a",
        "pkg:npm/a@",
        "pkg:npm/a@<",
        "pkg:npm/a@<1,",
        "pkg:npm/a@<1 || >2",
        "pkg:npm/a@1.*",
        "pkg:npm/a@<>1",
        "pkg:npm/a#b",
        "pkg:npm/a?b",
        "pkg:npm/a?=b",
        "pkg:1/a",
        "pkg:npm/ /a",
        "pkg:npm/" + "a" * 2000,
    ],
)
def test_what_is_no_rule_is_malformed(text):
    with pytest.raises(Malformed):
        PackageRule.parse(text)


@pytest.mark.parametrize(
    ("rule", "package", "expected"),
    [
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@2.14.1", YES),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@2.17.0", YES),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@2.9", YES),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@2.17.1-rc1", YES),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@2.17.1", NO),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@2.24.1", NO),
        (f"{LOG4J}@>=2.0,<2.17.1", f"{LOG4J}@1.2.17", NO),
        (f"{LOG4J}@>=2.0,<2.17.1", f"{LOG4J}@2.0-beta9", NO),
        (f"{LOG4J}@>=2.0-beta9,<2.17.1", f"{LOG4J}@2.0-beta9", YES),
        (f"{LOG4J}", f"{LOG4J}@2.24.1", YES),
        (f"{LOG4J}", f"{LOG4J}", YES),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}", UNSURE),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}@${{log4j.version}}", UNSURE),
        (f"{LOG4J}@<2.17.1", f"{LOG4J}-x@1", NO),
        (f"{LOG4J}@<2.17.1", "pkg:maven/other/log4j-core@1", NO),
        (f"{LOG4J}@<2.17.1", "pkg:npm/log4j-core@1", NO),
        (f"{LOG4J}@2.14.1", f"{LOG4J}@2.14.1", YES),
        (f"{LOG4J}@!=2.24.1", f"{LOG4J}@2.24.1", NO),
        (f"{LOG4J}@!=2.24.1", f"{LOG4J}@2.24.0", YES),
        ("pkg:pypi/Foo_Bar@<2", "pkg:pypi/foo-bar@1.9", YES),
        ("pkg:pypi/foo.bar@<2", "pkg:pypi/FOO_bar@1.9", YES),
        ("pkg:pypi/a@<2.0", "pkg:pypi/a@2.0rc1", YES),
        ("pkg:pypi/a@<2.0", "pkg:pypi/a@1!0.1", NO),
        ("pkg:npm/left-pad@<1.10.0", "pkg:npm/left-pad@1.9.0", YES),
        ("pkg:npm/@angular/core@<2.0.0", "pkg:npm/%40angular/core@1.0.0", YES),
        ("pkg:npm/core@<2.0.0", "pkg:npm/%40angular/core@1.0.0", NO),
        ("pkg:npm/a@<2.0.0", "pkg:npm/a@latest", UNSURE),
        ("pkg:golang/github.com/Acme/lib@<1.2.0", "pkg:golang/github.com/acme/lib@v1.1.9", YES),
        ("pkg:golang/github.com/acme/lib@<1.2.0", "pkg:golang/github.com/acme/lib@%28devel%29", UNSURE),
        (
            "pkg:golang/golang.org/x/net@<0.17.0",
            "pkg:golang/golang.org%2Fx/net@v0.0.0-20200101000000-abcdefabcdef",
            YES,
        ),
        ("pkg:deb/debian/openssl@<3.0.11-1~deb12u2", "pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64", YES),
        ("pkg:deb/debian/openssl@<3.0.11-1~deb12u2", "pkg:deb/debian/openssl@3.0.11-1?arch=amd64", NO),
        ("pkg:deb/debian/openssl@<3.0.11-1", "pkg:deb/ubuntu/openssl@1.0-1", NO),
        ("pkg:deb/debian/git@<1:2.0-1", "pkg:deb/debian/git@2.39-1?epoch=1", NO),
        ("pkg:deb/debian/git@<1:2.0-1", "pkg:deb/debian/git@2.39-1", YES),
        ("pkg:rpm/redhat/openssl@<1:1.1.1k-12.el8_9", "pkg:rpm/redhat/openssl@1.1.1k-7.el8_6?epoch=1", YES),
        ("pkg:rpm/redhat/openssl@<1:1.1.1k-12.el8_9", "pkg:rpm/redhat/openssl@1.1.1k-12.el8_9?epoch=1", NO),
        ("pkg:apk/alpine/openssl@<3.1.4-r10", "pkg:apk/alpine/openssl@3.1.4-r9", YES),
        ("pkg:nuget/Newtonsoft.Json@<13.0.1", "pkg:nuget/newtonsoft.json@12.0.3", YES),
        ("pkg:deb/debian/a@<2?arch=amd64", "pkg:deb/debian/a@1?arch=amd64&distro=x", YES),
        ("pkg:deb/debian/a@<2?arch=amd64", "pkg:deb/debian/a@1?arch=arm64", NO),
        ("pkg:deb/debian/a@<2?arch=amd64", "pkg:deb/debian/a@1", NO),
        ("pkg:generic/a@<2", "pkg:generic/a@1", UNSURE),
        ("pkg:generic/a@1", "pkg:generic/a@1", YES),
        ("pkg:generic/a@1", "pkg:generic/a@2", UNSURE),
        ("pkg:generic/a", "pkg:generic/a@2", YES),
    ],
)
def test_a_rule_means_a_package_url(rule, package, expected):
    assert answer(rule, purl(package)) is expected


def test_every_version_that_a_package_claims_is_looked_at():
    assert answer(f"{LOG4J}@<2.17.1", purl(f"{LOG4J}@2.24.1", "2.14.1")) is YES
    assert answer(f"{LOG4J}@<2.17.1", purl(f"{LOG4J}@2.14.1", "2.24.1")) is YES
    assert answer(f"{LOG4J}@<2.17.1", purl(LOG4J, "2.14.1")) is YES
    assert answer(f"{LOG4J}@<2.17.1", purl(f"{LOG4J}@2.24.1", "2.24.1 (patched)")) is NO
    assert answer("pkg:rpm/a/b@<2-1", purl("pkg:rpm/a/b@2-1", "2")) is NO
    assert answer("pkg:deb/a/b@<1:2-1", purl("pkg:deb/a/b@3-1", "1:3-1")) is NO
    assert answer("pkg:npm/a@=1.2.3", purl("pkg:npm/a@1.2.3-rc.1", "1.2.3")) is YES
    assert answer(f"{LOG4J}@<2.17.1", Package("x", None, ("pkg:npm/x@1", f"{LOG4J}@2.14.1"))) is YES


@pytest.mark.parametrize(
    "name", ["log4j-core", "Log4J-Core", "org.apache.logging.log4j:log4j-core", "org.apache.logging.log4j/log4j-core"]
)
def test_a_denied_name_without_a_package_url_cannot_be_told(name):
    assert answer(f"{LOG4J}@<2.17.1", Package(name, "2.24.1")) is UNSURE
    assert answer(LOG4J, Package(name, "2.24.1")) is UNSURE
    assert answer(LOG4J, Package(name + "x", "2.24.1")) is NO


@pytest.mark.parametrize(
    ("kind", "ascending"),
    [
        ("maven", "1.0-alpha-1 1.0-beta-2 1.0-M1 1.0-rc1 1.0-SNAPSHOT 1.0 1.0-sp1 1.0.1 1.9 1.10 20040616"),
        ("pypi", "1.0.dev1 1.0a1 1.0b2 1.0rc1 1.0 1.0+local 1.0.post1 1.1 1.10 1!0.1"),
        ("npm", "1.0.0-1 1.0.0-a 1.0.0-alpha.2 1.0.0-alpha.10 1.0.0-rc.1 1.0.0 1.0.1 1.9.0 1.10.0"),
        ("deb", "1.0~~ 1.0~rc1-1 1.0-1 1.0-1+b1 1.0-2 1.0-10 1.0+dfsg-1 1.0.1-1 1:0.1-1"),
        ("rpm", "1.0~rc1-1 1.0-1 1.0-1.el8 1.0-2 1.0-10 1.0^git1-1 1.0.1-1 1:0.1-1"),
        ("apk", "1.2_alpha1-r0 1.2_rc1-r0 1.2-r0 1.2-r1 1.2-r10 1.2_p1-r0 1.2a-r0 1.2.1-r0 1.10-r0"),
        ("golang", "v0.0.0-20200101000000-abcdefabcdef v0.1.0-rc.1 0.1.0 v0.9.0 v0.10.0"),
        ("nuget", "1.0.0-alpha 1.0.0-beta 1.0.0 1.0.0.1 1.0.1 1.9.0 1.10.0"),
        ("gem", "1.0.0.pre 1.0.0 1.0.1 1.9 1.10"),
        ("cargo", "0.1.0-rc.1 0.1.0 0.2.9 0.2.10"),
        ("composer", "v1.0.0 1.9.0 1.10.0"),
        ("hex", "1.0.0-rc.1 1.0.0 1.10.0"),
        ("alpm", "1.0rc1-1 1.0-1 1.0-2 1.0.1-1 1:0.1-1"),
    ],
)
def test_versions_are_ordered_by_their_type(kind, ascending):
    versions = ascending.split()
    for i, one in enumerate(versions):
        for j, other in enumerate(versions):
            order = compare(kind, one, other)
            assert order == (i > j) - (i < j), (one, other, order)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("generic", "1", "2"),
        ("oci", "1", "2"),
        ("npm", "1.2", "1.3"),
        ("npm", "*", "1.0.0"),
        ("golang", "(devel)", "1.0.0"),
        ("golang", "UNKNOWN", "1.0.0"),
        ("composer", "1.2.3.4", "1.2.3.5"),
        ("composer", "1.0.0-RC1", "1.0.0"),
        ("composer", "dev-main", "1.0.0"),
        ("rpm", "1.0", "1.0-3"),
        ("pypi", "2004d-x.y z", "1"),
        ("pypi", "1.0-", "1"),
        ("maven", "RELEASE", "1"),
        ("maven", "[1,2)", "1"),
        ("apk", "1.2_git20230101-r0", "1.2-r0"),
        ("deb", "", "1"),
        ("deb", "1\n", "1"),
        ("maven", "\u0661.0", "1"),
        ("maven", "1" * 201, "1"),
    ],
)
def test_what_cannot_be_compared_is_not_guessed(kind, one, other):
    assert compare(kind, one, other) is None
    assert compare(kind, other, one) is None


def test_the_order_of_versions_is_loaded_only_for_a_range():
    script = (
        "import sys; from promote.gates import sbom; from promote.sbom.rule import Listing\n"
        "from promote.sbom.package import Package\n"
        "from promote.model.package_rule import PackageRule\n"
        "listing = Listing.of([Package('a', '1.0.0', ('pkg:npm/a@1.0.0',))])\n"
        "for text in ('pkg:npm/b@<1.0.0', 'pkg:npm/a', 'pkg:npm/a@1.0.0'):\n"
        "    list(listing.matches(PackageRule.parse(text)))\n"
        "assert 'univers' not in sys.modules\n"
        "list(listing.matches(PackageRule.parse('pkg:npm/a@<1.0.0'))); assert 'univers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
