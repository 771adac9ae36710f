"""What must exist in which space, in which order: ITS, WDS, OCM, KubeStellar, and the fleet file about it."""
