"""The pages of the console and the customer's page, one file each."""
