"""What every room needs and no user calls: arguments, Arrow arrays, stages, optional libraries."""
