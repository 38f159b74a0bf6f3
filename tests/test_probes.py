"""Probes, k-means and anomaly scores against scikit-learn and against what is known without them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from course_utils import anomalies, clustering, probes
from course_utils.data import ImageData, Split
from course_utils.errors import InputError

SIDE = 6


def blobs(n, seed):
    """Three classes of noisy patterns, 6 × 6: what class an image is of can be read by a linear rule, mostly."""
    generator = torch.Generator().manual_seed(seed)
    patterns = torch.rand(3, SIDE * SIDE, generator=torch.Generator().manual_seed(9))
    labels = torch.randint(0, 3, (n,), generator=generator)
    noise = 0.45 * torch.randn(n, SIDE * SIDE, generator=generator)
    return Split((patterns[labels] + noise).reshape(n, 1, SIDE, SIDE), labels)


@pytest.fixture(scope="module")
def images():
    train, val, test = (blobs(n, seed) for n, seed in ((400, 1), (150, 2), (150, 3)))
    return sample(train, val, test)


def sample(train, val, test):
    @dataclass(frozen=True)
    class Set:
        train: Split
        val: Split
        test: Split
        classes: tuple[str, ...] = ("a", "b", "c")

    return Set(train, val, test)


def ridge(train, val, features, strength):
    """scikit-learn's ridge on one-hot labels, fitted on train: its accuracy on val."""
    z = features(train.flat).double()
    penalty = strength * float((z - z.mean(0)).square().sum(0).mean())
    model = Ridge(alpha=penalty).fit(z.numpy(), np.eye(3)[train.labels])
    return float((model.predict(features(val.flat).double().numpy()).argmax(1) == val.labels.numpy()).mean())


def test_a_probe_is_scikit_learns_ridge_with_the_strength_that_validation_chooses(images):
    features = probes.random_features(SIDE * SIDE, 200, seed=1)
    found = probes.probe(features, images)
    on_validation = {s: ridge(images.train, images.val, features, s) for s in probes.STRENGTHS}
    assert found.strength == max(probes.STRENGTHS, key=lambda s: on_validation[s])
    assert found.val_accuracy == pytest.approx(max(on_validation.values()))
    assert found.accuracy == pytest.approx(ridge(images.train, images.test, features, found.strength))
    assert found.n_features == 200
    assert len(set(on_validation.values())) > 1, "every strength does alike: this test shows nothing"


def test_the_test_images_have_no_say_in_the_strength(images):
    scrambled = replace(images, test=Split(images.test.images, images.test.labels.flip(0)))
    identity = probes.probe(lambda x: x, images)
    other = probes.probe(lambda x: x, scrambled)
    assert identity.strength == other.strength
    assert other.accuracy < identity.accuracy


def test_a_probe_does_not_mind_a_shift_of_its_features(images):
    plain = probes.probe(lambda x: x, images)
    shifted = probes.probe(lambda x: x + 100.0, images)
    assert shifted == plain


def test_a_probe_can_be_given_fewer_images(images):
    few = replace(images, train=images.train.take(40))
    assert probes.probe(lambda x: x, images, n_train=40) == probes.probe(lambda x: x, few)


@pytest.mark.parametrize(
    ("encode", "words"),
    [
        (lambda x: torch.cat([x] * 30, dim=1), "1,080 features are more"),
        (lambda x: x.sum(), r"to \(\)"),
        (lambda x: x / 0, "not finite"),
        (lambda x: torch.ones_like(x), "constant"),
    ],
)
def test_features_that_cannot_be_probed_are_refused(images, encode, words):
    with pytest.raises(InputError, match=words):
        probes.probe(encode, images)


def test_random_features_are_the_same_for_the_same_seed():
    x = torch.rand(7, 50)
    first, again, other = (probes.random_features(50, 20, seed=seed)(x) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (first >= 0).all()
    sigmoid = probes.random_features(50, 20, "sigmoid", seed=1)(x)
    assert ((sigmoid > 0) & (sigmoid < 1)).all()
    with pytest.raises(InputError, match="tanh"):
        probes.random_features(50, 20, "tanh", seed=1)


def test_accuracy_of_clusters_does_not_depend_on_their_names():
    labels = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    assignments = np.array([2, 2, 2, 0, 0, 1, 1, 1, 1, 1])
    assert clustering.matched_accuracy(assignments, labels) == pytest.approx(0.9)
    assert clustering.matched_accuracy((assignments + 1) % 3, labels) == pytest.approx(0.9)
    assert clustering.matched_accuracy(np.zeros(10, dtype=int), labels) == pytest.approx(0.4)


def test_k_means_reports_the_restart_of_least_inertia(images):
    codes, labels = images.test.flat, images.test.labels
    found = clustering.kmeans(codes, labels, k=7, restarts=6, seed=0)
    best = found.inertias.argmin()
    assert found.inertia == found.inertias[best]
    assert (found.accuracy, found.nmi) == (found.accuracies[best], found.nmis[best])
    assert len(np.unique(found.inertias.round(6))) > 1, "all restarts ended alike: this test shows nothing"
    nearest = torch.cdist(codes.double(), torch.as_tensor(found.centres)).argmin(1)
    assert (nearest.numpy() == found.assignments).mean() > 0.99
    again = clustering.kmeans(codes, labels, k=7, restarts=6, seed=0)
    assert_allclose(again.inertias, found.inertias)


def test_k_means_refuses_codes_without_labels(images):
    with pytest.raises(InputError, match="10 clusters"):
        clustering.kmeans(images.test.flat, images.test.labels[:5], seed=0)


def test_auc_is_the_share_of_pairs_in_the_right_order():
    normal, strange = torch.tensor([0.0, 1.0, 2.0, 2.0]), torch.tensor([1.0, 2.0, 5.0])
    pairs = torch.sign(strange[:, None] - normal[None, :])
    expected = ((pairs > 0).double() + (pairs == 0).double() / 2).mean().item()
    assert anomalies.auc(normal, strange) == pytest.approx(expected)
    assert anomalies.auc(strange, normal) == pytest.approx(1 - expected)
    with pytest.raises(InputError, match="normal_scores"):
        anomalies.auc(torch.zeros(0), strange)
    with pytest.raises(InputError, match="anomalous_scores"):
        anomalies.auc(normal, strange[:, None])


def test_the_residual_of_pca_is_scikit_learns(images):
    x = images.train.flat
    fitted = PCA(n_components=4).fit(x.numpy())
    rebuilt = fitted.inverse_transform(fitted.transform(images.test.flat.numpy()))
    expected = np.square(rebuilt - images.test.flat.numpy()).sum(1)
    assert_allclose(anomalies.pca_residual(x, 4)(images.test.flat), expected, rtol=1e-3)
    with pytest.raises(InputError, match="500 components"):
        anomalies.pca_residual(x, 500)


def test_one_class_after_the_other_is_learnt_and_the_rest_is_strange(images):
    seen = []

    def fit_score(x, label):
        seen.append((len(x), label))
        centre = x.mean(0)
        return lambda other: (other - centre).square().sum(1)

    found = anomalies.one_class_aucs(fit_score, images)
    labels = images.train.labels
    assert seen == [(int((labels == label).sum()), label) for label in range(3)]
    centre = images.train.flat[labels == 1].mean(0)
    distance = (images.test.flat - centre).square().sum(1).numpy()
    assert found[1] == pytest.approx(roc_auc_score(images.test.labels.numpy() != 1, distance))
    assert (found > 0.9).all()


def test_the_sample_has_what_the_protocols_read_of_image_data():
    known = set(ImageData.__dataclass_fields__) | set(dir(ImageData))
    assert set(sample(None, None, None).__dataclass_fields__) <= known
