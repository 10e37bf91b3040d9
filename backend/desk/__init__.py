"""An embedded PSA, CRM and Portal: the reference of the target contract."""
