"""What the panel's buttons do: collect, call one function, report."""
