"""Sample traffic of an invented outdoor-gear shop, to try the package with nothing else."""

from rft_widgets.sample.support import SampleFile, sample_records, sample_spans, write_sample

__all__ = ["SampleFile", "sample_records", "sample_spans", "write_sample"]
