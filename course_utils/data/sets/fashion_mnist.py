"""Fashion-MNIST: 70,000 garments in MNIST's format (Xiao, Rasul & Vollgraf 2017)."""

from pathlib import Path

from course_utils.data.catalogue import ImageSet, idx_files

__all__ = ["SET"]

SET = ImageSet(
    name="fashion-mnist",
    title="Fashion-MNIST",
    folder="FashionMNIST/raw",
    files=idx_files(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
    mirror_folder="FashionMNIST",
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    system_folder=Path("/usr/share/datasets/fashion-mnist"),
    system_package="dataset-fashion-mnist",
    classes=(
        "T-shirt",
        "trousers",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
)
