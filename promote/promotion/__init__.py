"""A promotion: plan (facts and verdicts), then apply (act and read back)."""
