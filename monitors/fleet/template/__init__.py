"""CloudFormation templates -> Fleet. Pure: infra/templates/ reads the files and has SAM expanded."""
