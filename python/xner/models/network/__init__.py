"""Running networks over word pieces: devices, loading, pieces, windows, batches."""
