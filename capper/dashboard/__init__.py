"""What people see of capper in a browser: each her own record, the owner the household's health and policy."""
