"""The Merkle tree against its definition, against proofs spoilt at random, and against published vectors."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import merkle
from tests.evidence.builders import mth, node_of

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "evidence" / "merkle.json").read_text())


@st.composite
def trees(draw):
    size = draw(st.integers(1, 70))
    entries = [draw(st.binary(max_size=3)) + bytes([i]) for i in range(size)]
    return entries, draw(st.integers(0, size - 1))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=4), max_size=80))
def test_frontier_and_tree_give_the_root_of_the_definition(entries):
    assert merkle.root_of(map(merkle.leaf_hash, entries)) == mth(entries)
    assert merkle.tree_root(len(entries), node_of(entries)) == mth(entries)


@settings(deadline=None)
@given(trees())
def test_an_inclusion_proof_holds_for_its_own_leaf_index_and_size_only(tree):
    entries, index = tree
    size, root = len(entries), mth(entries)
    proof = merkle.inclusion_proof(index, size, node_of(entries))

    def holds(**changes):
        given_ = {"index": index, "size": size, "leaf": merkle.leaf_hash(entries[index]), "proof": proof, "root": root}
        return merkle.verify_inclusion(**(given_ | changes))

    assert holds()
    assert not any(holds(index=other) for other in range(size) if other != index)
    assert not holds(index=size)
    assert not holds(index=-1)
    assert not holds(leaf=merkle.leaf_hash(b"another"))
    assert not holds(proof=(*proof, bytes(32)))
    assert not holds(proof=(bytes(32), *proof))
    assert not holds(root=bytes(32))
    if proof:
        assert not holds(proof=proof[:-1])
        assert not holds(proof=proof[1:])
        assert not holds(proof=(proof[0][:31], *proof[1:]))


@settings(deadline=None)
@given(trees())
def test_a_consistency_proof_holds_between_its_two_trees_only(tree):
    entries, last = tree
    old, size = last + 1, len(entries)
    proof = merkle.consistency_proof(old, size, node_of(entries))
    given_ = {"old": old, "size": size, "old_root": mth(entries[:old]), "root": mth(entries), "proof": proof}
    assert merkle.verify_consistency(**given_)
    assert not merkle.verify_consistency(**given_ | {"old_root": bytes(32)})
    assert not merkle.verify_consistency(**given_ | {"root": bytes(32)})
    assert not merkle.verify_consistency(**given_ | {"proof": (*proof, bytes(32))})
    assert not merkle.verify_consistency(**given_ | {"old": 0})
    assert not merkle.verify_consistency(**given_ | {"old": size, "size": old} if old < size else given_ | {"old": -1})
    if proof:
        assert not merkle.verify_consistency(**given_ | {"proof": proof[:-1]})
        forked = [b"forked", *entries[1:]]
        other = {"old_root": mth(forked[:old]), "root": mth(entries)}
        assert not merkle.verify_consistency(**given_ | other)


def test_there_is_no_proof_of_what_is_not_there():
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_proof(3, 3, node_of([b"a", b"b", b"c"]))
    for old, size in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="not empty"):
            merkle.consistency_proof(old, size, node_of([b"a", b"b", b"c"]))


@settings(deadline=None)
@given(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), max_size=20))
def test_the_root_of_ids_does_not_depend_on_their_order(ids):
    digests = sorted({hashlib.sha256(each.encode()).digest() for each in ids})
    assert merkle.ids_root(reversed(ids)) == merkle.ids_root([*ids, *ids]) == mth(digests)


@pytest.mark.parametrize("vector", VECTORS["roots"], ids=lambda vector: f"size {vector['size']}")
def test_committed_roots(vector):
    entries = [bytes.fromhex(entry) for entry in VECTORS["entries"][: vector["size"]]]
    assert merkle.root_of(map(merkle.leaf_hash, entries)).hex() == vector["root"]


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=lambda vector: vector["name"])
def test_committed_proofs(vector):
    proof = [bytes.fromhex(part) for part in vector["proof"]]
    if vector["kind"] == "inclusion":
        held = merkle.verify_inclusion(
            index=vector["index"],
            size=vector["size"],
            leaf=bytes.fromhex(vector["leaf"]),
            proof=proof,
            root=bytes.fromhex(vector["root"]),
        )
    else:
        held = merkle.verify_consistency(
            old=vector["old"],
            size=vector["size"],
            old_root=bytes.fromhex(vector["old_root"]),
            root=bytes.fromhex(vector["root"]),
            proof=proof,
        )
    assert held is vector["holds"]


def _decoded(text):
    return base64.b64decode(text) if text else b""


@pytest.mark.shared_data
def test_published_vectors(shared_data):
    """transparency-dev/merkle. Those of subtree consistency belong to a draft that is not used here."""
    counted = {"inclusion": 0, "consistency": 0, "subtreeinclusion": 0}
    for kind in counted:
        for path in sorted((shared_data / "crypto-vectors" / "merkle" / kind).rglob("*.json")):
            vector = json.loads(path.read_text())
            proof = [_decoded(part) for part in vector["proof"] or ()]
            if kind == "consistency":
                held = merkle.verify_consistency(
                    old=vector["size1"],
                    size=vector["size2"],
                    old_root=_decoded(vector["root1"]),
                    root=_decoded(vector["root2"]),
                    proof=proof,
                )
            else:
                # A subtree's inclusion proof is that of a tree of its own.
                start, end = (0, vector["treeSize"]) if kind == "inclusion" else (vector["start"], vector["end"])
                held = merkle.verify_inclusion(
                    index=vector["leafIdx"] - start,
                    size=end - start,
                    leaf=_decoded(vector["leafHash"]),
                    proof=proof,
                    root=_decoded(vector["root"]),
                )
            assert held is not vector["wantErr"], path
            counted[kind] += 1
    assert min(counted.values()) > 40
