"""What the commands share: notebooks as files, kernels to execute them in, stamps that tell what is stale."""
