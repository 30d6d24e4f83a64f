import { graphql } from "../../gql";

export const LOG_IN = graphql(`
  mutation LogIn($username: String!, $password: String!) {
    login(input: { username: $username, password: $password }) { user { id } }
  }
`);

export const REGISTER = graphql(`
  mutation Register($username: String!, $password: String!) {
    register(input: { username: $username, password: $password }) { user { id } }
  }
`);

export const LOG_OUT = graphql(`
  mutation LogOut {
    logout { user { id } }
  }
`);
