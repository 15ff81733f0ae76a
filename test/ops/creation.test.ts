import { checkFile } from './structured';
import { rows } from './table/creation';

checkFile('creation', rows);
