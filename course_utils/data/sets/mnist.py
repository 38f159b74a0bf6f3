"""MNIST: 70,000 handwritten digits (LeCun, Cortes & Burges 1998)."""

from course_utils.data.catalogue import ImageSet, idx_files

__all__ = ["SET"]

SET = ImageSet(
    name="mnist",
    title="MNIST",
    folder="MNIST/raw",
    files=idx_files(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    mirror_folder="MNIST",
    mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
    classes=tuple("0123456789"),
)
