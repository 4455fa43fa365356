"""People of ``assets/people.npz``: parametric bodies, posed, dressed, as meshes with thermal zones."""
