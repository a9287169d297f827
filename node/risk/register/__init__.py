"""The register of risks 风险登记册: entered ones and computed ones, by money at risk."""
