"""What must hold in the warehouse: suites as data, and the checkpoint that runs them."""
